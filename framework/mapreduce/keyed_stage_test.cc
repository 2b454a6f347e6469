#include "mapreduce/keyed_stage.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <plait/sdk.hpp>
#include <thread>

#include "cluster/local_transport.h"

namespace plait::inline mapreduce {
namespace {

struct PartialSum {
  static constexpr bool commutative = true;
  static void describe(sdk::Describe<PartialSum>& d) { d.doc("sum of i64"); }
  sdk::Folded infer(sdk::Value in) const {
    if (in != sdk::Value::kI64) throw sdk::Error("wanted i64");
    return {in, 8};
  }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    sdk::write_partial(partial, sdk::value_as<int64_t>(value));
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    sdk::write_partial(into, sdk::partial_as<int64_t>(into) + sdk::partial_as<int64_t>(from));
  }
};

// Of matrices modulo a prime: associative, and no more.
struct Product {
  struct Matrix {
    int64_t a, b, c, d;
  };
  static void describe(sdk::Describe<Product>& d) { d.doc("product of matrices [[v, 1], [1, 0]]"); }
  sdk::Folded infer(sdk::Value) const { return {sdk::Value::kBytes, sizeof(Matrix)}; }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    sdk::write_partial(partial, Matrix{sdk::value_as<int64_t>(value), 1, 1, 0});
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    const auto x = sdk::partial_as<Matrix>(into), y = sdk::partial_as<Matrix>(from);
    const auto of = [](int64_t p, int64_t q, int64_t r, int64_t s) { return (p * q + r * s) % 1'000'003; };
    sdk::write_partial(into, Matrix{of(x.a, y.a, x.b, y.c), of(x.a, y.b, x.b, y.d), of(x.c, y.a, x.d, y.c),
                                    of(x.c, y.b, x.d, y.d)});
  }
};

struct Sum {
  static void describe(sdk::Describe<Sum>& d) { d.doc("sum of i64"); }
  sdk::Value infer(sdk::Value in) const { return in; }
  void reduce(sdk::Context&, std::string_view key, sdk::Values& values, sdk::Emitter& out) const {
    int64_t sum = 0;
    while (const auto value = values.next()) sum += sdk::value_as<int64_t>(*value);
    if (key == "bad") throw sdk::Error("no sum of this key");
    out.emit(key, sum);
  }
};

// Everything, in order, as text.
struct List {
  static void describe(sdk::Describe<List>& d) { d.doc("all values, in order"); }
  sdk::Value infer(sdk::Value) const { return sdk::Value::kBytes; }
  void reduce(sdk::Context&, std::string_view key, sdk::Values& values, sdk::Emitter& out) const {
    std::string text;
    while (const auto value = values.next()) {
      for (size_t at = 0; at + 8 <= value->size(); at += 8)
        text += std::to_string(sdk::value_as<int64_t>(value->substr(at, 8))) + " ";
    }
    out.emit(key, std::string_view(text));
  }
};

struct OtherKey {
  static void describe(sdk::Describe<OtherKey>& d) { d.doc("emits under another key"); }
  sdk::Value infer(sdk::Value in) const { return in; }
  void reduce(sdk::Context&, std::string_view, sdk::Values&, sdk::Emitter& out) const {
    out.emit("other", int64_t{1});
  }
};

const Registry& plugins() {
  static const sdk::PluginTable table(
      "test.keyed", "1.0.0", "Apache-2.0", sdk::combiner<PartialSum>("test.partial_sum"),
      sdk::combiner<Product>("test.product"), sdk::reducer<Sum>("test.sum"), sdk::reducer<List>("test.list"),
      sdk::reducer<OtherKey>("test.other_key"));
  static const Registry registry = Registry::from_plugins({table.c()}).value();
  return registry;
}

PluginSpec spec_of(const std::string& id) {
  PluginSpec spec;
  REQUIRE(plugins().named(id).size() == 1);
  spec.entry = plugins().named(id).front();
  spec.config = *default_config(spec.entry->type->fields, spec.entry->type->n_fields);
  return spec;
}

// Key of the i-th pair of the job: a few are frequent, most are rare.
std::string key_of(int64_t i) {
  const uint64_t drawn = key_hash(std::to_string(i));
  return "k" + std::to_string(drawn % (drawn % 3 == 0 ? 7 : 5000));
}

// Emits a pair for each record: (key_of(i), i).
class Numbers final : public RecordMapper {
 public:
  int64_t records() const override { return 0; }
  Result<bool> map(int, const Split& split, const plait_task_call& call) override {
    const plait_emitter& out = *call.out;
    for (int64_t i = split.first; i < split.first + split.count; ++i) {
      const std::string key = special.count(i) ? special.at(i) : key_of(i);
      const std::string_view value = sdk::bytes_of(i);
      if (out.emit(&out, {key.data(), key.size()}, {value.data(), value.size()}) != PLAIT_OK)
        return Status(Code::kPlugin, "refused");
    }
    if (split.number == failing) return Status(Code::kPlugin, fmt::format("task {} fails", split.number));
    return true;
  }
  std::map<int64_t, std::string> special;
  int64_t failing = -1;
};

struct Setup {
  int ranks = 1, threads = 1;
  uint64_t memory_bytes = uint64_t{1} << 26;
  std::string combiner = "test.partial_sum", reducer = "test.sum";
  int64_t records = 30'000;
  Numbers mapper{};
};

struct Outcome {
  std::vector<std::string> lines;
  std::vector<Status> statuses;
  KeyedCounts counts;
};

Outcome run(const Setup& setup) {
  Outcome outcome;
  auto world = make_local_world(setup.ranks);
  outcome.statuses.resize(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r) {
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      std::unique_ptr<KeyedStage> stage;
      StoppableWork work(*rank);
      std::unique_ptr<Combiner> combiner;
      uint32_t kind = PLAIT_VALUE_I64;
      if (!setup.combiner.empty()) {
        combiner = Combiner::create(plugins(), spec_of(setup.combiner), kind).value();
        kind = combiner->kind();
      }
      const auto reducer = KeyReducer::create(plugins(), spec_of(setup.reducer), kind).value();
      Numbers mapper = setup.mapper;
      const auto take = [&outcome](PairStream& results) {
        Pair pair;
        while (results.next(pair)) {
          const bool is_number = pair.value.size() == 8;
          outcome.lines.push_back(
              std::string(pair.key) + "\t" +
              (is_number ? std::to_string(sdk::value_as<int64_t>(pair.value)) : std::string(pair.value)));
        }
        return results.status();
      };
      stage = std::make_unique<KeyedStage>(KeyedStage::Parts{{setup.records, 997},
                                                             &mapper,
                                                             PLAIT_VALUE_I64,
                                                             combiner.get(),
                                                             reducer.get(),
                                                             setup.memory_bytes,
                                                             setup.threads,
                                                             rank.get(),
                                                             &work,
                                                             take});
      outcome.statuses[r] = stage->run();
      if (!outcome.statuses[r]) rank->abort(outcome.statuses[r]);
      if (r == 0) outcome.counts = stage->counts();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

TEST_CASE("sums by key are those of a map, sorted by bytes") {
  std::map<std::string, int64_t> wanted;
  for (int64_t i = 0; i < 30'000; ++i) wanted[key_of(i)] += i;
  std::vector<std::string> lines;
  for (const auto& [key, sum] : wanted) lines.push_back(key + "\t" + std::to_string(sum));
  const Outcome outcome = run({});
  CHECK(outcome.lines == lines);
  CHECK(outcome.counts.pairs == 30'000);
  CHECK(outcome.counts.results == static_cast<int64_t>(lines.size()));
}

TEST_CASE("the same bytes for any ranks, threads, and with what was spilled") {
  struct Plugins {
    const char* combiner;
    const char* reducer;
  };
  for (const Plugins& plugins : {Plugins{"test.partial_sum", "test.sum"}, Plugins{"", "test.list"},
                                 Plugins{"test.product", "test.list"}}) {
    std::vector<std::string> first;
    for (const uint64_t memory : {uint64_t{1} << 26, uint64_t{1} << 21, uint64_t{1} << 16}) {
      for (int ranks = 1; ranks <= 4; ++ranks) {
        for (int threads = 1; threads <= 2; ++threads) {
          CAPTURE(std::string(plugins.combiner));
          CAPTURE(memory);
          CAPTURE(ranks);
          CAPTURE(threads);
          const Outcome outcome = run({ranks, threads, memory, plugins.combiner, plugins.reducer});
          for (const Status& status : outcome.statuses) CHECK_MESSAGE(status, status.message());
          if (first.empty()) first = outcome.lines;
          CHECK(outcome.lines.size() > 1000);
          CHECK((outcome.lines == first));
          if (memory == uint64_t{1} << 26) CHECK(outcome.counts.bytes_spilled == 0);
          if (memory == uint64_t{1} << 16) CHECK(outcome.counts.bytes_spilled > 0);
          CHECK(outcome.counts.bytes_held > 0);
          // Below it, single buffers count for more than what is bounded.
          if (memory >= uint64_t{1} << 20)
            CHECK(outcome.counts.bytes_held <= static_cast<int64_t>(memory / 5 * 6));
          CHECK((outcome.counts.bytes_shuffled > 0) == (ranks > 1));
        }
      }
    }
  }
}

TEST_CASE("no records, and keys of every size") {
  for (int ranks = 1; ranks <= 3; ++ranks) {
    Setup none;
    none.ranks = ranks;
    none.records = 0;
    CHECK(run(none).lines.empty());
    Setup keys;
    keys.ranks = ranks;
    keys.records = 6;
    keys.mapper.special = {{0, ""},  {1, std::string(65536, 'x')}, {2, std::string("\0", 1)}, {3, "\xff"},
                           {4, "a"}, {5, std::string(65536, 'x')}};
    const std::vector<std::string> wanted = {"\t0", std::string("\0\t2", 3), "a\t4",
                                             std::string(65536, 'x') + "\t6", "\xff\t3"};
    CHECK(run(keys).lines == wanted);
  }
}

TEST_CASE("what cannot be is told once, with the records and the key") {
  const auto failure = [](Setup setup) {
    for (const Status& status : run(setup).statuses)
      if (!status && status.code() != Code::kPeer) return status.message();
    return std::string("none");
  };
  for (int ranks = 1; ranks <= 3; ranks += 2) {
    Setup setup;
    setup.ranks = ranks;
    setup.mapper.special[4000] = std::string(65537, 'k');
    CHECK(failure(setup) == "records 3988 to 4984: key \"" + std::string(40, 'k') +
                                "\"... (65537 bytes) was emitted, wanted at most 65536 bytes");
    setup.mapper.special[4000] = "bad";
    CHECK(failure(setup) == "test.sum, key \"bad\": no sum of this key");
    setup.mapper.special.clear();
    setup.mapper.failing = 3;
    CHECK(failure(setup) == "task 3 fails");
    setup.mapper.failing = -1;
    setup.reducer = "test.other_key";
    CHECK(failure(setup).find("a value was emitted under another key, \"other\"") != std::string::npos);
  }
}

TEST_CASE("a folder that cannot be written is named") {
  SpillFile file("/nowhere/at/all");
  const auto appended = file.append(std::as_bytes(std::span("abc", 3)));
  REQUIRE_FALSE(appended);
  CHECK(appended.status().code() == Code::kIo);
  CHECK(appended.status().message().find("/nowhere/at/all: open failed: No such file") != std::string::npos);
}

}  // namespace
}  // namespace plait::inline mapreduce
