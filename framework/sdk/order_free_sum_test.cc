#include <doctest/doctest.h>
#include <plait/sdk/order_free_sum.hpp>
#include <plait/sdk/random.hpp>

#include <cmath>
#include <limits>
#include <vector>

using plait::sdk::OrderFreeSum;
using plait::sdk::Random;

namespace {

double sum_of(const std::vector<double>& values) {
  OrderFreeSum sum;
  for (const double value : values) sum.add(value);
  return sum.value();
}

TEST_CASE("a sum of two numbers is the one that the processor rounds") {
  CHECK(sum_of({0.902628481388092, -7282762752.0}) == 0.902628481388092 - 7282762752.0);
  Random random(1, 0);
  for (int i = 0; i < 200'000; ++i) {
    const double a = std::ldexp(random.uniform() - 0.5, static_cast<int>(random.integer(-30, 30)));
    const double b = std::ldexp(random.uniform() - 0.5, static_cast<int>(random.integer(-30, 30)));
    if (sum_of({a, b}) != a + b) FAIL(a << " + " << b << " is " << a + b << ", got " << sum_of({a, b}));
  }
}

TEST_CASE("halves go to the even number, and what lies far below decides one") {
  const double one = 1, half = 0x1p-53, little = 0x1p-90;  // half of a unit in the last place of 1
  CHECK(sum_of({one, half}) == 1);
  CHECK(sum_of({one, half, little}) == 1 + 0x1p-52);
  CHECK(sum_of({one, half, -little}) == 1);
  CHECK(sum_of({one, 3 * half}) == 1 + 0x1p-51);
  CHECK(sum_of({one, 3 * half, -little}) == 1 + 0x1p-52);
  CHECK(sum_of({-one, -half, -little}) == -1 - 0x1p-52);
  // Of a sum whose first bin is nearly full, the last of the four bins still decides.
  const double large = 0x1.fffffep31;
  CHECK(sum_of({large, std::ldexp(1, -22)}) == large);
  CHECK(sum_of({large, std::ldexp(1, -22), std::ldexp(1, -60)}) == large + std::ldexp(1, -21));
}

TEST_CASE("denormals are exact, and beyond the largest number is infinity") {
  const double least = std::numeric_limits<double>::denorm_min(), most = std::numeric_limits<double>::max();
  CHECK(sum_of({least, least, least}) == 3 * least);
  CHECK(sum_of({std::numeric_limits<double>::min(), -least}) == std::numeric_limits<double>::min() - least);
  CHECK(sum_of({most, -most}) == 0);
  CHECK(sum_of({most, most}) == std::numeric_limits<double>::infinity());
  CHECK(sum_of({-most, -most, most}) == -most);
  CHECK(sum_of({}) == 0);
}

}  // namespace
