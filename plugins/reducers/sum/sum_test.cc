#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <limits>
#include <optional>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Bytes = std::vector<std::string>;

Bytes sum(Value kind, const Bytes& values, std::optional<double> least = {}, const std::string& key = "key") {
  TestHost host;
  const Entry entry = linked("plait.sum");
  Settings settings(entry);
  if (least) settings.set("least", *least);
  ReducerTest reducer(host, entry, settings, kind);
  CHECK(reducer.emits == (kind == Value::kI64 ? Value::kI64 : Value::kF64));
  return reducer.reduce(key, values);
}
Bytes sum_whole(const std::vector<int64_t>& values, std::optional<double> least = {}) {
  return sum(Value::kI64, values_of(values), least);
}

TEST_CASE("i64: by hand; only the whole sum has to fit") {
  CHECK(sum_whole({1, -7, 40}) == values_of<int64_t>({34}));
  CHECK(sum_whole({INT64_MAX, INT64_MAX, INT64_MIN}) == values_of<int64_t>({INT64_MAX - 1}));
  CHECK(sum_whole({INT64_MIN, -1, 1}) == values_of<int64_t>({INT64_MIN}));
  CHECK_THROWS_WITH(sum_whole({INT64_MAX, 1}), "the sum of key \"key\" is beyond an i64");
  CHECK_THROWS_WITH(sum_whole({INT64_MIN, -1}), "the sum of key \"key\" is beyond an i64");
}

TEST_CASE("f64: the same bits in any order, and with sums in place of values") {
  Random random(3, 0);
  std::vector<double> values;
  for (int i = 0; i < 500; ++i)
    values.push_back(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-60, 60))));
  const Bytes expected = sum(Value::kF64, values_of(values));
  REQUIRE(expected.size() == 1);
  for (int n = 0; n < 20; ++n) {
    for (size_t i = values.size(); i-- > 1;)
      std::swap(values[i], values[static_cast<size_t>(random.integer(0, static_cast<int64_t>(i)))]);
    CHECK(sum(Value::kF64, values_of(values)) == expected);
    OrderFreeSum parts[3];
    for (const double value : values) parts[random.integer(0, 2)].add(value);
    CHECK(sum(Value::kSum, values_of<plait_sum>({parts[2].c(), parts[0].c(), parts[1].c()})) == expected);
  }
}

TEST_CASE("f64: by hand, where plain addition goes wrong") {
  CHECK(sum(Value::kF64, values_of<double>({0.5, 0.25, -3})) == values_of<double>({-2.25}));
  CHECK(sum(Value::kF64, values_of<double>({1, 1e20, -1e20})) == values_of<double>({1}));
  CHECK(sum(Value::kF64, Bytes(10, value_of(0.1))) == values_of<double>({1}));
  const double largest = std::numeric_limits<double>::max();
  CHECK(sum(Value::kF64, values_of<double>({largest, largest, -largest})) == values_of<double>({largest}));
  CHECK_THROWS_WITH(sum(Value::kF64, values_of<double>({largest, largest}), {}, "a\nb"),
                    "the sum of key \"a\\x0ab\" is beyond an f64");
}

TEST_CASE("least leaves out the keys below it") {
  CHECK(sum_whole({2, 3}, 5.0) == values_of<int64_t>({5}));
  CHECK(sum_whole({2, 2}, 5.0).empty());
  CHECK(sum_whole({-9}).size() == 1);
  CHECK(sum_whole({4}, 4.5).empty());
  // 2^53 + 1 is no f64.
  CHECK(sum_whole({(int64_t{1} << 53) + 1}, 0x1p53 + 2).empty());
  CHECK(sum(Value::kF64, values_of<double>({0.25, 0.25}), 0.5).size() == 1);
  CHECK(sum(Value::kF64, values_of<double>({0.25, 0.125}), 0.5).empty());
}

TEST_CASE("bytes are refused") {
  CHECK_THROWS_WITH(sum(Value::kBytes, {"a"}), "values are bytes, wanted i64, f64 or sum of f64");
}

}  // namespace
