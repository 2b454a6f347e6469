#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>
#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.partial_sum");
  CombinerTest combiner;
  explicit Test(Value in) : combiner(host, entry, Settings(entry), in) {}
};

double rounded(const std::string& sum) { return OrderFreeSum(value_as<plait_sum>(sum)).value(); }

TEST_CASE("i64: by hand, and refused where 64 bits are not enough") {
  Test test(Value::kI64);
  CHECK(test.combiner.folds_into == Value::kI64);
  CHECK(test.combiner.fold(values_of<int64_t>({1, -7, 40})) == value_of<int64_t>(34));
  CHECK(test.combiner.fold(values_of<int64_t>({5})) == value_of<int64_t>(5));
  CHECK(test.combiner.fold(values_of<int64_t>({INT64_MAX, INT64_MIN})) == value_of<int64_t>(-1));
  CHECK_THROWS_WITH(test.combiner.fold(values_of<int64_t>({INT64_MAX, 1})),
                    "9223372036854775807 + 1 is beyond an i64");
  CHECK(test.host.code == PLAIT_ERROR_NUMERIC);
  CHECK_THROWS_WITH(test.combiner.fold(values_of<int64_t>({INT64_MIN, -1})),
                    "-9223372036854775808 + -1 is beyond an i64");
}

TEST_CASE("f64: the same bytes in every order and every grouping") {
  Test test(Value::kF64);
  CHECK(test.combiner.folds_into == Value::kSum);
  Random random(7, 0);
  std::vector<double> values;
  for (int i = 0; i < 300; ++i)
    values.push_back(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-200, 200))));
  values.insert(values.end(), {0.0, -0.0, 5e-324, -5e-324, 1e300, -1e300});
  const std::string expected = test.combiner.fold(values_of(values));
  for (int n = 0; n < 50; ++n) {
    for (size_t i = values.size(); i-- > 1;)
      std::swap(values[i], values[static_cast<size_t>(random.integer(0, static_cast<int64_t>(i)))]);
    const auto cut = static_cast<ptrdiff_t>(random.integer(1, static_cast<int64_t>(values.size()) - 1));
    const std::string head = test.combiner.fold(values_of<double>({values.begin(), values.begin() + cut}));
    const std::string tail = test.combiner.fold(values_of<double>({values.begin() + cut, values.end()}));
    CHECK(test.combiner.fold(head, tail) == expected);
    CHECK(test.combiner.fold(tail, head) == expected);
  }
}

TEST_CASE("f64: by hand, where plain addition goes wrong") {
  Test test(Value::kF64);
  CHECK(rounded(test.combiner.fold(values_of<double>({0.5, 0.25, -3}))) == -2.25);
  CHECK(rounded(test.combiner.fold(values_of<double>({1, 1e20, -1e20}))) == 1);
  CHECK(rounded(test.combiner.fold(std::vector<std::string>(10, value_of(0.1)))) == 1);
  CHECK_THROWS(test.combiner.begin(value_of(std::numeric_limits<double>::infinity())));
  CHECK_THROWS_WITH(test.combiner.begin("abc"), "a value of 3 bytes, wanted 8");
}

TEST_CASE("sums of f64 are folded as they are") {
  Test parts(Value::kF64), sums(Value::kSum);
  CHECK(sums.combiner.folds_into == Value::kSum);
  const std::string a = parts.combiner.fold(values_of<double>({1e20, 1})),
                    b = parts.combiner.begin(value_of(-1e20));
  CHECK(sums.combiner.begin(a) == a);
  CHECK(rounded(sums.combiner.fold(std::vector<std::string>{a, b})) == 1);
}

TEST_CASE("bytes are refused; the order does not matter") {
  CHECK_THROWS_WITH(Test(Value::kBytes), "values are bytes, wanted i64, f64 or sum of f64");
  const auto& rules = *static_cast<const plait_combiner_rules*>(linked("plait.partial_sum").type.rules);
  CHECK(rules.flags == PLAIT_COMBINER_COMMUTATIVE);
}

}  // namespace
