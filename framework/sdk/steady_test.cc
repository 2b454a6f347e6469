#include <doctest/doctest.h>

#include <cmath>
#include <plait/steady.hpp>

namespace steady = plait::sdk::steady;

namespace {

// Units of the last place of `wanted`.
double units(double got, double wanted) { return std::abs(got - wanted) / (std::abs(wanted) * 0x1p-52); }

TEST_CASE("steady functions against those of the C library, which are exact to one unit") {
  for (double x = -700; x <= 700; x += 0.37) CHECK(units(steady::exp(x), std::exp(x)) <= 4);
  for (double x = 1e-300; x < 1e300; x *= 7.3) CHECK(units(steady::log(x), std::log(x)) <= 4);
  for (double x = 0.5; x < 2; x += 0.0037) CHECK(std::abs(steady::log(x) - std::log(x)) <= 0x1p-52);
  for (double x = 0; x <= 1; x += 0.0037)
    CHECK(std::abs(steady::cos_of_half_turns(x) - std::cos(3.14159265358979324 * x)) <= 4 * 0x1p-52);
  for (double base = 0.1; base < 3; base += 0.37)
    for (double exponent = 0.25; exponent < 40; exponent *= 1.7)
      CHECK(units(steady::power(base, exponent), std::pow(base, exponent)) <=
            4 + 2 * std::abs(exponent * std::log(base)));
}

TEST_CASE("steady functions at their ends") {
  CHECK(steady::exp(0) == 1);
  CHECK(steady::exp(-1e9) == 0);
  CHECK(std::isinf(steady::exp(1e9)));
  CHECK(std::isnan(steady::exp(NAN)));
  CHECK(steady::log(1) == 0);
  CHECK(steady::power(0.0, 0.5) == 0);
  CHECK(steady::power(0.0, 0.0) == 1);
  CHECK(steady::power(0.5, int64_t{3}) == 0.125);
  CHECK(steady::power(3, int64_t{0}) == 1);
  CHECK(steady::cos_of_half_turns(0) == 1);
  CHECK(steady::cos_of_half_turns(1) == -1);
  CHECK((steady::half_cosine(0) == 0 && steady::half_cosine(1) == 1));
}

}  // namespace
