#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Counts = std::vector<int64_t>;

template <class V>
RecordBytes labels(const std::vector<V>& values) {
  RecordBytes records;
  for (const V value : values) records.push_back({record_of<V>({value})});
  return records;
}

TEST_CASE("by hand") {
  TestHost host;
  const Entry entry = linked("plait.class_counts");
  AccumulatingTaskTest task(host, entry, Settings(entry).set("classes", 4), {{"label", DType::i32, {}}});
  task.map(labels<int32_t>({3, 0, 3}));
  task.map(labels<int32_t>({3, 1}));
  CHECK(!task.finish());
  CHECK(task.accumulated<int64_t>("count") == Counts{1, 1, 0, 3});
  AccumulatingTaskTest wide(host, entry, Settings(entry).set("classes", 2).set("part", "y"),
                            {{"image", DType::f32, {2}}, {"y", DType::i64, {1, 1}}});
  wide.map({{std::string(8, 'x'), record_of<int64_t>({1})}});
  CHECK(wide.accumulated<int64_t>("count") == Counts{0, 1});
}

TEST_CASE("a class that there is none of is refused, and its record named") {
  TestHost host;
  const Entry entry = linked("plait.class_counts");
  AccumulatingTaskTest task(host, entry, Settings(entry).set("classes", 3), {{"label", DType::i64, {}}});
  task.map(labels<int64_t>({0, 2}));
  CHECK_THROWS_WITH(task.map(labels<int64_t>({1, 3})), "record 3 has class 3, wanted 0 to 2");
  CHECK_THROWS_WITH(task.map(labels<int64_t>({-1})), "record 2 has class -1, wanted 0 to 2");
  CHECK_THROWS_WITH(task.map(labels<int64_t>({int64_t{1} << 32})),
                    "record 2 has class 4294967296, wanted 0 to 2");
}

TEST_CASE("parts that hold no class") {
  TestHost host;
  const Entry entry = linked("plait.class_counts");
  const auto try_on = [&](PartSpec part) {
    AccumulatingTaskTest(host, entry, Settings(entry).set("classes", 3), {std::move(part)});
  };
  CHECK_THROWS_WITH(try_on({"label", DType::f32, {}}),
                    "part \"label\" is f32[], wanted one number i32 or i64");
  CHECK_THROWS_WITH(try_on({"label", DType::i32, {2}}),
                    "part \"label\" is i32[2], wanted one number i32 or i64");
  CHECK_THROWS_WITH(try_on({"label", DType::i32, {1}, 0}),
                    "part \"label\" is i32[1], wanted one number i32 or i64");
}

}  // namespace
