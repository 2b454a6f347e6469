#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Bytes = std::vector<std::string>;

int64_t count(Value kind, const Bytes& values, int most = 1'000'000) {
  TestHost host;
  const Entry entry = linked("plait.distinct_count");
  ReducerTest reducer(host, entry, Settings(entry).set("most", most), kind);
  CHECK(reducer.emits == Value::kI64);
  return value_as<int64_t>(reducer.reduce("key", values).at(0));
}

TEST_CASE("by hand: values that come again count once; -0 and +0 are two") {
  CHECK(count(Value::kBytes, {"a", "b", "a", "", "b", "B"}) == 4);
  CHECK(count(Value::kI64, values_of<int64_t>({3, 3, -3})) == 2);
  CHECK(count(Value::kF64, values_of<double>({0.0, -0.0, 1, 1})) == 3);
  CHECK(count(Value::kI64, {}) == 0);
}

TEST_CASE("more than most are refused, as many are not") {
  CHECK(count(Value::kI64, values_of<int64_t>({1, 2, 1, 2, 1}), 2) == 2);
  CHECK_THROWS_WITH(count(Value::kI64, values_of<int64_t>({1, 2, 1, 3}), 2),
                    "key \"key\" has more than 2 different values, field \"most\"");
}

TEST_CASE("sums of f64 are refused: equal ones may have other bytes") {
  CHECK_THROWS_WITH(count(Value::kSum, {}), "values are sum of f64, wanted bytes, i64 or f64");
}

}  // namespace
