#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Bytes = std::vector<std::string>;

template <class N>
Bytes largest(int k, Value kind, const std::vector<N>& values) {
  TestHost host;
  const Entry entry = linked("plait.top_k");
  ReducerTest reducer(host, entry, Settings(entry).set("k", k), kind);
  CHECK(reducer.emits == kind);
  return reducer.reduce("key", values_of(values));
}

TEST_CASE("by hand: from the largest down, equal ones each, fewer where there are fewer") {
  CHECK(largest<int64_t>(2, Value::kI64, {3, -1, 7, 5}) == values_of<int64_t>({7, 5}));
  CHECK(largest<int64_t>(3, Value::kI64, {4, 4, 1, 4}) == values_of<int64_t>({4, 4, 4}));
  CHECK(largest<int64_t>(10, Value::kI64, {1, 2}) == values_of<int64_t>({2, 1}));
  CHECK(largest<double>(1, Value::kF64, {-1.5, -2.5}) == values_of<double>({-1.5}));
  CHECK(largest<int64_t>(1, Value::kI64, {}).empty());
}

TEST_CASE("-0 is smaller than +0, whichever comes first") {
  CHECK(largest<double>(1, Value::kF64, {-0.0, 0.0}) == values_of<double>({0.0}));
  CHECK(largest<double>(1, Value::kF64, {0.0, -0.0}) == values_of<double>({0.0}));
  CHECK(largest<double>(2, Value::kF64, {-0.0, 0.0}) == values_of<double>({0.0, -0.0}));
}

TEST_CASE("agrees with sorting") {
  Random random(5, 0);
  for (const size_t count : {1, 10, 1000}) {
    for (const int k : {1, 3, 10, 1000}) {
      std::vector<int64_t> values;
      for (size_t i = 0; i < count; ++i) values.push_back(random.integer(-50, 50));
      std::vector<int64_t> sorted = values;
      std::sort(sorted.rbegin(), sorted.rend());
      sorted.resize(std::min(count, static_cast<size_t>(k)));
      CHECK(largest(k, Value::kI64, values) == values_of(sorted));
    }
  }
}

TEST_CASE("what has no order is refused") {
  CHECK_THROWS_WITH(largest<double>(1, Value::kBytes, {}), "values are bytes, wanted i64 or f64");
  CHECK_THROWS_WITH(largest<double>(1, Value::kSum, {}), "values are sum of f64, wanted i64 or f64");
}

}  // namespace
