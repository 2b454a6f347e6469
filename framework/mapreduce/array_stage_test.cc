#include "mapreduce/array_stage.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <bit>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <plait/sdk.hpp>
#include <thread>

#include "cluster/local_transport.h"

namespace plait::inline mapreduce {
namespace {

// A number of record i: many scales and both signs, so that another order of adding gives another sum.
double value_of(int64_t i) {
  return std::ldexp(static_cast<double>(i * 7919 % 1009) - 500.3, static_cast<int>(i % 60) - 30);
}

// All rules in one pass. Records are given by their number alone; those three make trouble.
template <int64_t bad = -1, int64_t large = -1, int64_t failing = -1>
struct All {
  static void describe(sdk::Describe<All>& d) { d.doc("every rule"); }
  void infer(const sdk::Parts&, sdk::Accumulators& a) const {
    a.sum("sum", {2});
    a.mean("mean");
    a.minimum("minimum");
    a.maximum("maximum");
    a.count("count", {3});
    a.rows("rows", sdk::DType::i64, {2});
  }
  void map(sdk::Context&, const sdk::Records& records, sdk::Accumulated& out) const {
    for (int64_t i = records.first(); i < records.first() + static_cast<int64_t>(records.size()); ++i) {
      const double value = value_of(i);
      out.data("sum")[0] += value;
      out.data("sum")[1] += i == bad ? std::nan("") : 1;
      out.data("mean")[0] += value;
      out.data("minimum")[0] = std::min(out.data("minimum")[0], value);
      out.data("maximum")[0] = std::max(out.data("maximum")[0], value);
      out.data<int64_t>("count")[static_cast<size_t>(i % 3)] += i == large ? INT64_MAX - 400 : 1;
      const int64_t row[] = {i, 2 * i};
      if (i % 5 == 0) out.append<int64_t>("rows", row);
      if (i == failing) throw sdk::Error("record ", i, " fails");
    }
  }
};

// Numbers that comparisons take for one another: of each split one of them.
struct Tiny {
  static void describe(sdk::Describe<Tiny>& d) { d.doc("extremes about 0"); }
  void infer(const sdk::Parts&, sdk::Accumulators& a) const {
    a.minimum("minimum");
    a.maximum("maximum");
  }
  void map(sdk::Context&, const sdk::Records& records, sdk::Accumulated& out) const {
    constexpr double kNumbers[] = {0.0, 5e-324, -0.0};
    out.data("minimum")[0] = out.data("maximum")[0] = kNumbers[records.first() / 701 % 3];
  }
};

// Newton's method for the cube root of the mean of 1 .. n, a step a pass, until nothing changes: state goes
// round.
template <bool endless = false>
struct Root {
  static void describe(sdk::Describe<Root>& d) { d.doc("cube root of a mean"); }
  void infer(const sdk::Parts&, sdk::Accumulators& a) const {
    a.sum("error");
    a.state("x", sdk::DType::f64);
    a.output("root", sdk::DType::f64);
    a.output("passes", sdk::DType::i64);
  }
  void map(sdk::Context&, const sdk::Records& records, sdk::Accumulated& out) const {
    const double x = out.pass() == 0 ? 1 : out.state<double>("x")[0];
    for (size_t i = 0; i < records.size(); ++i)
      out.data("error")[0] += static_cast<double>(records.first()) + static_cast<double>(i) + 1 - x * x * x;
  }
  bool finish(sdk::Context&, sdk::Pass& pass) const {
    double& x = pass.state<double>("x")[0];
    if (pass.number() == 0) x = 1;
    const double before = x;
    x += pass.accumulated("error")[0] / static_cast<double>(pass.records()) / (3 * x * x);
    pass.output<double>("root")[0] = x;
    pass.output<int64_t>("passes")[0] = pass.number() + 1;
    return std::abs(x - before) > 1e-12 * x || endless;
  }
};

struct Failing {
  static void describe(sdk::Describe<Failing>& d) { d.doc("finish fails"); }
  void infer(const sdk::Parts&, sdk::Accumulators& a) const { a.count("n"); }
  void map(sdk::Context&, const sdk::Records&, sdk::Accumulated&) const {}
  bool finish(sdk::Context&, sdk::Pass&) const { throw sdk::Error("nothing to finish"); }
};

const Registry& plugins() {
  static const sdk::PluginTable table(
      "test.arrays", "1.0.0", "Apache-2.0", sdk::task<All<>>("test.all"), sdk::task<All<2000>>("test.bad"),
      sdk::task<All<-1, 3000>>("test.large"), sdk::task<All<-1, -1, 4321>>("test.throws"),
      sdk::task<Tiny>("test.tiny"), sdk::task<Root<>>("test.root"), sdk::task<Root<true>>("test.endless"),
      sdk::task<Failing>("test.failing"));
  static const Registry registry = Registry::from_plugins({table.c()}).value();
  return registry;
}

// Gives the task the numbers of its records, in calls of 100.
class Numbers final : public RecordMapper {
 public:
  Numbers(const plait_task_ops& ops, const void* self) : ops_(ops), self_(self) {}
  Result<bool> map(int, const Split& split, const plait_task_call& wanted) override {
    for (int64_t at = split.first; at < split.first + split.count; at += 100) {
      plait_task_call call = wanted;
      call.struct_size = sizeof call;
      call.first = at;
      call.count = std::min<int64_t>(100, split.first + split.count - at);
      CallContext context;
      PLAIT_TRY(context.call([&] { return ops_.map(self_, context.raw(), &call); }));
      records_ += call.count;
    }
    return true;
  }
  int64_t records() const override { return records_; }

 private:
  const plait_task_ops& ops_;
  const void* self_;
  std::atomic<int64_t> records_ = 0;
};

struct Setup {
  std::string task = "test.all";
  int ranks = 1, threads = 1;
  int64_t records = 10'000, split = 701;
  uint64_t memory_bytes = uint64_t{1} << 26;
  int64_t most_passes = 1000;
};

struct Outcome {
  std::map<std::string, std::string> outputs;  // bytes
  std::map<std::string, std::vector<int64_t>> shapes;
  std::vector<Status> statuses;
  ArrayCounts counts;

  template <class V>
  std::vector<V> values(const std::string& name) const {
    const std::string& bytes = outputs.at(name);
    std::vector<V> all(bytes.size() / sizeof(V));
    if (!all.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
    return all;
  }
  std::string failure() const {
    for (const Status& status : statuses)
      if (!status && status.code() != Code::kPeer) return status.message();
    return "none";
  }
};

Outcome run(const Setup& setup) {
  Outcome outcome;
  auto world = make_local_world(setup.ranks);
  outcome.statuses.resize(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r) {
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      const TypeEntry& entry = *plugins().find("task", setup.task);
      const auto config = *default_config(entry.type->fields, entry.type->n_fields);
      CallContext context;
      const TaskForm form = infer_task(entry, *config, {}, context).value();
      const Instance task = create_task(plugins(), entry, *config, {}, context).value();
      Numbers mapper(*task.ops<plait_task_ops>(), task.self());
      std::unique_ptr<ArrayStage> stage;
      StoppableWork work(*rank);
      ArrayStage::Parts parts;
      parts.splits = {setup.records, setup.split};
      parts.mapper = &mapper;
      parts.form = &form;
      parts.task = &task;
      parts.memory_bytes = setup.memory_bytes;
      parts.most_passes = setup.most_passes;
      parts.threads = setup.threads;
      parts.transport = rank.get();
      parts.work = &work;
      parts.take = [&outcome](const std::vector<OutputArray>& arrays) {
        for (const OutputArray& array : arrays) {
          outcome.outputs[array.spec.name] = std::string(array.bytes);
          outcome.shapes[array.spec.name] = array.spec.shape;
        }
        return Status();
      };
      stage = std::make_unique<ArrayStage>(parts);
      outcome.statuses[r] = stage->run();
      if (!outcome.statuses[r]) rank->abort(outcome.statuses[r]);
      if (r == 0) outcome.counts = stage->counts();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

TEST_CASE("every rule makes of the splits what it says") {
  const Outcome outcome = run({});
  REQUIRE(outcome.failure() == "none");
  long double sum = 0, magnitudes = 0;
  double minimum = value_of(0), maximum = value_of(0);
  for (int64_t i = 0; i < 10'000; ++i) {
    sum += value_of(i);
    magnitudes += std::abs(value_of(i));
    minimum = std::min(minimum, value_of(i));
    maximum = std::max(maximum, value_of(i));
  }
  // A split adds up its 701 numbers with an error of at most 701 half units of 2^-53 of what is there.
  const auto bound = static_cast<double>(701 * 0x1p-53L * magnitudes);
  CHECK(std::abs(outcome.values<double>("sum")[0] - static_cast<double>(sum)) <= bound);
  CHECK(outcome.values<double>("sum")[1] == 10'000);
  CHECK(outcome.values<double>("mean")[0] == outcome.values<double>("sum")[0] / 10'000);
  CHECK(outcome.values<double>("minimum")[0] == minimum);
  CHECK(outcome.values<double>("maximum")[0] == maximum);
  CHECK(outcome.values<int64_t>("count") == std::vector<int64_t>{3334, 3333, 3333});
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < 10'000; i += 5) rows.insert(rows.end(), {i, 2 * i});
  CHECK(outcome.values<int64_t>("rows") == rows);
  CHECK(outcome.shapes.at("rows") == std::vector<int64_t>{2000, 2});
  CHECK(outcome.shapes.at("mean").empty());
  CHECK(outcome.counts.records == 10'000);
  CHECK(outcome.counts.passes == 1);
}

TEST_CASE("rows beyond the memory, of a rank or only of all, are the same rows") {
  const Outcome whole = run({});
  CHECK(whole.counts.bytes_spilled == 0);
  for (const uint64_t memory : {2256, 8'000, 31'999, 32'000})
    for (int ranks = 1; ranks <= 4; ++ranks)
      for (int threads = 1; threads <= 2; ++threads) {
        CAPTURE(memory);
        CAPTURE(ranks);
        CAPTURE(threads);
        Setup setup;
        setup.memory_bytes = memory;
        setup.ranks = ranks;
        setup.threads = threads;
        const Outcome outcome = run(setup);
        CHECK(outcome.failure() == "none");
        CHECK(outcome.outputs == whole.outputs);
        CHECK(outcome.shapes == whole.shapes);
        CHECK((outcome.counts.bytes_spilled > 0) == (memory < 32'000));
      }
}

TEST_CASE("extremes are by bits: -0 below +0, and tiny numbers are not 0") {
  Setup setup;
  setup.task = "test.tiny";
  for (setup.ranks = 1; setup.ranks <= 3; ++setup.ranks) {
    const Outcome outcome = run(setup);
    REQUIRE(outcome.failure() == "none");
    CHECK(std::bit_cast<int64_t>(outcome.values<double>("minimum")[0]) == INT64_MIN);  // -0
    CHECK(std::bit_cast<int64_t>(outcome.values<double>("maximum")[0]) == 1);          // 5e-324
    CHECK(outcome.counts.bytes_shuffled == (setup.ranks > 1 ? setup.ranks * 2 * 8 : 0));
  }
}

TEST_CASE("the same bytes for any ranks and threads, in one pass and in several") {
  for (const char* task : {"test.all", "test.root"}) {
    Setup setup;
    setup.task = task;
    const Outcome first = run(setup);
    for (int ranks = 1; ranks <= 4; ++ranks) {
      for (int threads = 1; threads <= 2; ++threads) {
        CAPTURE(std::string(task));
        CAPTURE(ranks);
        CAPTURE(threads);
        setup.ranks = ranks;
        setup.threads = threads;
        const Outcome outcome = run(setup);
        CHECK(outcome.failure() == "none");
        CHECK((outcome.outputs == first.outputs));
        CHECK(outcome.counts.records == 10'000);
        int64_t tasks = 0;
        for (const int64_t done : outcome.counts.tasks_by_rank) tasks += done;
        CHECK(tasks == 15);
        CHECK((outcome.counts.bytes_shuffled > 0) == (ranks > 1));
      }
    }
  }
}

TEST_CASE("passes go on with the states that finish left") {
  Setup setup;
  setup.task = "test.root";
  setup.ranks = 2;
  const Outcome outcome = run(setup);
  CHECK(outcome.values<double>("root")[0] == doctest::Approx(std::cbrt(5000.5)).epsilon(1e-12));
  CHECK(outcome.values<int64_t>("passes")[0] == outcome.counts.passes);
  CHECK(outcome.counts.passes > 3);
}

TEST_CASE("fewer records than ranks, and none") {
  for (const int64_t records : {0, 1, 3}) {
    Setup setup;
    setup.records = records;
    setup.split = 1;
    setup.ranks = 4;
    const Outcome outcome = run(setup);
    CHECK(outcome.failure() == "none");
    CHECK(outcome.values<double>("sum")[1] == static_cast<double>(records));
    CHECK(std::isinf(outcome.values<double>("minimum")[0]) == (records == 0));
    CHECK(outcome.values<int64_t>("rows").size() == (records > 0 ? 2 : 0));
  }
}

TEST_CASE("what cannot be is told once, with its place") {
  for (int ranks = 1; ranks <= 3; ranks += 2) {
    CAPTURE(ranks);
    const auto failure = [&](const std::string& task, uint64_t memory = uint64_t{1} << 26) {
      Setup setup;
      setup.task = task;
      setup.ranks = ranks;
      setup.memory_bytes = memory;
      setup.most_passes = 7;
      return run(setup).failure();
    };
    CHECK(failure("test.bad") == "records 1402 to 2102: element 1 of the accumulator sum became nan");
    CHECK(failure("test.large").ends_with("element 0 of the accumulator count is beyond 64 bits"));
    CHECK(failure("test.throws") == "record 4321 fails");
    CHECK(failure("test.failing") == "test.failing, finish of pass 1: nothing to finish");
    CHECK(failure("test.endless") == "test.endless asks for another pass after 7, and passes is 7");
    // A split has at most 141 rows of 16 bytes.
    CHECK(failure("test.all", 2255) ==
          "the rows of rows that one split makes take more than the stage's memory, 2255 bytes; a smaller "
          "split "
          "has fewer");
    CHECK(failure("test.all", 2256) == "none");
  }
}

}  // namespace
}  // namespace plait::inline mapreduce
