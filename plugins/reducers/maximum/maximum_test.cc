#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

template <class N>
std::vector<std::string> reduce(Value kind, const std::vector<N>& values) {
  TestHost host;
  const Entry entry = linked("plait.maximum");
  ReducerTest reducer(host, entry, Settings(entry), kind);
  CHECK(reducer.emits == kind);
  return reducer.reduce("key", values_of(values));
}

TEST_CASE("by hand, in either order") {
  CHECK(reduce<int64_t>(Value::kI64, {1, -7, 40}) == values_of<int64_t>({40}));
  CHECK(reduce<int64_t>(Value::kI64, {40, 1, -7}) == values_of<int64_t>({40}));
  CHECK(reduce<int64_t>(Value::kI64, {INT64_MAX, INT64_MIN, 0}) == values_of<int64_t>({INT64_MAX}));
  CHECK(reduce<double>(Value::kF64, {1, -2.5, 3}) == values_of<double>({3}));
  CHECK(reduce<double>(Value::kF64, {1e300, 1e-300, -1e300}) == values_of<double>({1e300}));
  CHECK(reduce<int64_t>(Value::kI64, {}).empty());
}

TEST_CASE("-0 is smaller than +0, whichever comes first") {
  CHECK(reduce<double>(Value::kF64, {0.0, -0.0}) == values_of<double>({0.0}));
  CHECK(reduce<double>(Value::kF64, {-0.0, 0.0}) == values_of<double>({0.0}));
}

TEST_CASE("what has no order is refused") {
  CHECK_THROWS_WITH(reduce<double>(Value::kBytes, {1}), "values are bytes, wanted i64 or f64");
  CHECK_THROWS_WITH(reduce<double>(Value::kSum, {1}), "values are sum of f64, wanted i64 or f64");
}

}  // namespace
