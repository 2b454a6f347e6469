#include "mapreduce/sink.h"

#include <doctest/doctest.h>

#include <cstring>
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

#include "registry/endings.h"

namespace plait::inline mapreduce {
namespace {

void as_it_is(std::string_view bytes, std::string& to) { to += bytes; }

struct Table {
  static constexpr const char* endings[] = {".table", ".long.table"};
  static constexpr bool table = true;
  static void describe(sdk::Describe<Table>& d) { d.doc("columns parted by bars"); }
  void check_arrays(const sdk::SinkArrays& arrays) const { sdk::check_table(arrays); }
  void write_arrays(sdk::Context&, const sdk::SinkArrays& arrays, sdk::ByteWriter& out) const {
    sdk::write_table(arrays, {'|', &as_it_is}, out);
  }
  void write_pairs(sdk::Context&, sdk::Pairs& pairs, sdk::ByteWriter& out) const {
    sdk::write_table(pairs, {'|', &as_it_is}, out);
  }
};

struct Deaf {
  static constexpr const char* endings[] = {".deaf", ".table"};
  bool fails = false;
  static void describe(sdk::Describe<Deaf>& d) {
    d.doc("hears no refusal");
    d.field("fails", &Deaf::fails).doc("in the end it fails");
  }
  void write_arrays(sdk::Context&, const sdk::SinkArrays&, sdk::ByteWriter&) const {}
};

// By the table alone: the SDK's writer hears refusals itself.
sdk::Entry deaf() {
  sdk::Entry entry = sdk::sink<Deaf>("test.deaf");
  static plait_sink_ops ops = *static_cast<const plait_sink_ops*>(entry.implementation.ops);
  ops.write_arrays = [](const void* self, plait_context*, uint32_t, const plait_sink_array* const*,
                        const plait_byte_taker* out) {
    const bool fails = static_cast<const Deaf*>(self)->fails;
    out->append(out, {"one", 3});
    if (fails) out->append(out, {"two", 3});
    return fails ? int{PLAIT_FAILED} : int{PLAIT_OK};
  };
  entry.implementation.ops = &ops;
  return entry;
}

const Registry& registry() {
  static const sdk::PluginTable table("test.sinks", "1", "none", sdk::sink<Table>("test.table"), deaf());
  static const auto loaded = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(loaded, loaded.status().message());
  return *loaded;
}

std::unique_ptr<Sink> sink(const std::string& id, bool fails = false) {
  PluginSpec spec{registry().find("sink", id), nullptr, {}};
  spec.config = default_config(*spec.entry->type).value();
  if (!spec.config->fields.empty()) spec.config->fields[0].values = {ConfigValue(fails)};
  return Sink::create(registry(), spec).value();
}

// Pairs of a list; fails after the last where it is told to.
class Listed final : public PairStream {
 public:
  Listed(std::vector<std::pair<std::string, std::string>> list, Status end = {})
      : list_(std::move(list)), end_(std::move(end)) {}
  bool next(Pair& pair) override {
    if (at_ == list_.size()) return end_ ? false : fail(end_);
    pair = {};
    pair.key = list_[at_].first;
    pair.value = list_[at_++].second;
    return true;
  }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
  Status end_;
  size_t at_ = 0;
};

template <class Value>
std::string bytes(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// What is written, as far as `room` bytes.
struct Disk {
  size_t room = SIZE_MAX;
  std::string file;
  Files::Writer writer() {
    return [this](std::string_view piece) -> Status {
      if (piece.size() > room - file.size()) return {Code::kIo, "out.table: no room"};
      file += piece;
      return {};
    };
  }
};

}  // namespace

TEST_CASE("the longest ending decides; of one ending more than one sink is told") {
  const TypeEntry *table = registry().find("sink", "test.table"),
                  *deaf = registry().find("sink", "test.deaf");
  CHECK(types_for_file(registry(), "sink", "a.deaf") == std::vector{deaf});
  CHECK(types_for_file(registry(), "sink", "a.long.table") == std::vector{table});
  CHECK(types_for_file(registry(), "sink", "a.table") == std::vector{deaf, table});
  CHECK(types_for_file(registry(), "sink", ".deaf").empty());  // a name that is all ending
  CHECK(types_for_file(registry(), "sink", "deaf").empty());
  CHECK(all_endings(registry(), "sink") == std::vector<std::string>{".deaf", ".long.table", ".table"});
  CHECK(writes_pairs(*table));
  CHECK_FALSE(writes_pairs(*deaf));
  CHECK(is_table(*table));
  CHECK_FALSE(is_table(*deaf));
}

TEST_CASE("arrays become a file") {
  const float numbers[] = {0.5F, 2, 3, 4};
  const std::vector<SinkArraySpec> specs = {{{"a", PLAIT_F32, {2, 2}, -1}, {"x", "y"}}};
  Disk disk;
  REQUIRE(sink("test.table")->write(specs, {numbers}, disk.writer()));
  CHECK(disk.file == "x|y\n0.5|2\n3|4\n");
}

TEST_CASE("what a sink cannot hold is told before anything is written") {
  const std::vector<SinkArraySpec> specs = {{{"a", PLAIT_F32, {1, 1, 1}, -1}, {}}};
  Disk disk;
  const float number = 0;
  const Status status = sink("test.table")->write(specs, {&number}, disk.writer());
  CHECK(status.code() == Code::kInvalid);
  CHECK(status.message() == "test.table: a table cannot hold an array of more than two axes: f32[1, 1, 1] a");
  CHECK(disk.file.empty());
  CHECK(sink("test.deaf")->check(PLAIT_VALUE_I64).message() ==
        "test.deaf writes no pairs of a key and a value");
}

TEST_CASE("pairs become a file; a sum is the number that it is") {
  Disk disk;
  Listed whole({{"a", bytes(int64_t{7})}, {"b", bytes(int64_t{-1})}});
  REQUIRE(sink("test.table")->write(whole, PLAIT_VALUE_I64, disk.writer()));
  CHECK(disk.file == "a|7\nb|-1\n");
  sdk::OrderFreeSum sum;
  for (const double part : {1e20, 0.25, -1e20}) sum.add(part);
  Listed sums({{"a", bytes(sum.c())}});
  disk.file.clear();
  REQUIRE(sink("test.table")->write(sums, PLAIT_VALUE_SUM, disk.writer()));
  CHECK(disk.file == "a|0.25\n");
}

TEST_CASE("a failure of the stream, and one of the disk, are told as they are") {
  Disk disk;
  Listed broken({{"a", bytes(int64_t{7})}}, {Code::kIo, "spill: gone"});
  const Status lost = sink("test.table")->write(broken, PLAIT_VALUE_I64, disk.writer());
  CHECK(lost.message() == "spill: gone");
  disk.file.clear(), disk.room = 3;
  Listed good({{"a", bytes(int64_t{7})}});
  const Status full = sink("test.table")->write(good, PLAIT_VALUE_I64, disk.writer());
  CHECK(full.code() == Code::kIo);
  CHECK(full.message() == "out.table: no room");
}

TEST_CASE("a sink that takes no notice of a refusal is broken, and the file fails") {
  const float number = 0;
  const std::vector<SinkArraySpec> specs = {{{"a", PLAIT_F32, {1}, -1}, {}}};
  Disk disk{.room = 0, .file = {}};
  const Status deaf = sink("test.deaf")->write(specs, {&number}, disk.writer());
  CHECK(deaf.code() == Code::kPlugin);
  CHECK(deaf.message() == "goes on as if bytes had been taken that were not: out.table: no room");
  const Status insists = sink("test.deaf", true)->write(specs, {&number}, disk.writer());
  CHECK(insists.code() == Code::kPlugin);
  CHECK(insists.message() == "gives more bytes after some were refused: out.table: no room");
}

}  // namespace plait::inline mapreduce
