#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kCollect = linked("plait.collect");
const std::vector<PartSpec> kParts = {{"x", DType::f32, {2}}, {"n", DType::i64, {}}, {"b", DType::u8, {3}}};

RecordBytes two() {
  return {{record_of<float>({1, 2}), record_of<int64_t>({7}), "abc"},
          {record_of<float>({3, 4}), record_of<int64_t>({-8}), "def"}};
}

TEST_CASE("every part becomes rows of its type, in the order of the records") {
  TestHost host;
  AccumulatingTaskTest task(host, kCollect, Settings(kCollect), kParts);
  task.map(two());
  task.map({{record_of<float>({5, 6}), record_of<int64_t>({9}), "ghi"}});
  CHECK(!task.finish());
  CHECK(task.accumulated<float>("x") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(task.accumulated<int64_t>("n") == std::vector<int64_t>{7, -8, 9});
  CHECK(task.accumulated<uint8_t>("b") == std::vector<uint8_t>{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'});
}

TEST_CASE("chosen parts, parts that are not there, and parts whose extents differ") {
  TestHost host;
  AccumulatingTaskTest task(host, kCollect, Settings(kCollect).add("parts", "n"), kParts);
  task.map(two());
  CHECK(task.accumulated<int64_t>("n") == std::vector<int64_t>{7, -8});
  CHECK_THROWS(task.accumulated<float>("x"));
  CHECK_THROWS_WITH(AccumulatingTaskTest(host, kCollect, Settings(kCollect).add("parts", "y"), kParts),
                    "the sample has no part \"y\", only: x, n, b");
  CHECK_THROWS_WITH(AccumulatingTaskTest(host, kCollect, Settings(kCollect), {{"t", DType::u8, {9}, 0}}),
                    "axis 0 of part \"t\" differs from record to record, wanted fixed extents");
}

}  // namespace
