#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

template <class N>
std::vector<std::string> reduce(Value kind, const std::vector<N>& values) {
  TestHost host;
  const Entry entry = linked("plait.minimum");
  ReducerTest reducer(host, entry, Settings(entry), kind);
  CHECK(reducer.emits == kind);
  return reducer.reduce("key", values_of(values));
}

TEST_CASE("by hand, in either order") {
  CHECK(reduce<int64_t>(Value::kI64, {1, -7, 40}) == values_of<int64_t>({-7}));
  CHECK(reduce<int64_t>(Value::kI64, {40, 1, -7}) == values_of<int64_t>({-7}));
  CHECK(reduce<int64_t>(Value::kI64, {INT64_MAX, INT64_MIN, 0}) == values_of<int64_t>({INT64_MIN}));
  CHECK(reduce<double>(Value::kF64, {1, -2.5, 3}) == values_of<double>({-2.5}));
  CHECK(reduce<double>(Value::kF64, {1e300, 1e-300, -1e300}) == values_of<double>({-1e300}));
  CHECK(reduce<int64_t>(Value::kI64, {}).empty());
}

TEST_CASE("-0 is smaller than +0, whichever comes first") {
  CHECK(reduce<double>(Value::kF64, {0.0, -0.0}) == values_of<double>({-0.0}));
  CHECK(reduce<double>(Value::kF64, {-0.0, 0.0}) == values_of<double>({-0.0}));
}

#if defined(__SSE__)
TEST_CASE("tiny numbers have their places where comparisons take them for 0, as where plugins run") {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  const auto first = reduce<double>(Value::kF64, {5e-324, 0.0, -1e-310}),
             second = reduce<double>(Value::kF64, {-1e-310, 0.0, 5e-324});
  const auto third = reduce<double>(Value::kF64, {5e-324, 0.0}),
             fourth = reduce<double>(Value::kF64, {0.0, 5e-324});
  _mm_setcsr(before);
  CHECK(first == values_of<double>({-1e-310}));
  CHECK(second == first);
  CHECK(third == values_of<double>({0.0}));
  CHECK(fourth == third);
}
#endif

TEST_CASE("what has no order is refused") {
  CHECK_THROWS_WITH(reduce<double>(Value::kBytes, {1}), "values are bytes, wanted i64 or f64");
  CHECK_THROWS_WITH(reduce<double>(Value::kSum, {1}), "values are sum of f64, wanted i64 or f64");
}

}  // namespace
