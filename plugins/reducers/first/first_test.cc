#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Bytes = std::vector<std::string>;

Bytes first(Value kind, const Bytes& values) {
  TestHost host;
  const Entry entry = linked("plait.first");
  ReducerTest reducer(host, entry, Settings(entry), kind);
  CHECK(reducer.emits == kind);
  return reducer.reduce("key", values);
}

TEST_CASE("the first value as it is, of every kind that has an order of records") {
  CHECK(first(Value::kBytes, {"b", "a", "c"}) == Bytes{"b"});
  CHECK(first(Value::kBytes, {"", "a"}) == Bytes{""});
  CHECK(first(Value::kI64, values_of<int64_t>({9, 1})) == values_of<int64_t>({9}));
  CHECK(first(Value::kF64, values_of<double>({-0.0, 1})) == values_of<double>({-0.0}));
  CHECK(first(Value::kBytes, {}).empty());
  CHECK_THROWS_WITH(first(Value::kSum, {}), "values are sum of f64, wanted bytes, i64 or f64");
}

}  // namespace
