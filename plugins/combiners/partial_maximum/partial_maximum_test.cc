#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

template <class N>
std::string fold(Value kind, const std::vector<N>& values) {
  TestHost host;
  const Entry entry = linked("plait.partial_maximum");
  CombinerTest combiner(host, entry, Settings(entry), kind);
  CHECK(combiner.folds_into == kind);
  return combiner.fold(values_of(values));
}

TEST_CASE("by hand, in either order") {
  CHECK(fold<int64_t>(Value::kI64, {1, -7, 40}) == value_of<int64_t>(40));
  CHECK(fold<int64_t>(Value::kI64, {40, 1, -7}) == value_of<int64_t>(40));
  CHECK(fold<int64_t>(Value::kI64, {INT64_MAX, INT64_MIN, 0}) == value_of<int64_t>(INT64_MAX));
  CHECK(fold<double>(Value::kF64, {1, -2.5, 3}) == value_of<double>(3));
  CHECK(fold<double>(Value::kF64, {1e300, 1e-300, -1e300}) == value_of<double>(1e300));
}

TEST_CASE("-0 is smaller than +0, whichever comes first") {
  CHECK(fold<double>(Value::kF64, {0.0, -0.0}) == value_of<double>(0.0));
  CHECK(fold<double>(Value::kF64, {-0.0, 0.0}) == value_of<double>(0.0));
}

TEST_CASE("what has no order is refused; that of the values does not matter") {
  CHECK_THROWS_WITH(fold<double>(Value::kBytes, {1}), "values are bytes, wanted i64 or f64");
  CHECK_THROWS_WITH(fold<double>(Value::kSum, {1}), "values are sum of f64, wanted i64 or f64");
  const auto& rules = *static_cast<const plait_combiner_rules*>(linked("plait.partial_maximum").type.rules);
  CHECK(rules.flags == PLAIT_COMBINER_COMMUTATIVE);
}

}  // namespace
