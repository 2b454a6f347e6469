// Elementary functions of f64 by sums and products alone: the same bits whatever the C library is, for what
// all ranks compute by themselves and must agree on (the values of schedules, the factors of an optimizer's
// step). Optional; sdk.hpp does not include it.
//
// Exact to a few units in the last place.
// Threads: [any]
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

namespace plait::sdk::steady {

// base^exponent by squaring, exponent >= 0.
constexpr double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if (exponent & 1) result *= base;
  }
  return result;
}

// e^x = 2^n e^r with |r| <= ln 2 / 2; e^r as its series, whose next term is 0.35^17 / 17! = 5e-23. ln 2 in
// two parts, the first of which times n is exact. Source: Cody, Waite 1980, chapter 6.
inline double exp(double x) {
  if (x != x) return x;
  if (x < -745) return 0;
  if (x > 709.7) return std::numeric_limits<double>::infinity();
  const double n = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1;
  for (int k = 16; k > 0; --k) sum = 1 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

// log x for finite x > 0: x = 2^n m with m in [0.7, 1.4]; log m = 2 atanh(s), s = (m - 1) / (m + 1), as its
// series to s^23, whose next term is 2 * 0.172^25 / 25 = 6e-21.
inline double log(double x) {
  int n = 0;
  double m = std::frexp(x, &n);
  if (m < 0.70710678118654752) m *= 2, --n;
  const double s = (m - 1) / (m + 1), q = s * s;
  double sum = 0;
  for (int k = 23; k > 0; k -= 2) sum = sum * q + 1.0 / k;
  return n * 0.693147180369123816490 + (2 * s * sum + n * 1.90821492927058770002e-10);
}

// base^exponent for base >= 0 and any finite exponent >= 0; its error is |exponent log base| times as large.
inline double power(double base, double exponent) {
  if (exponent == 0) return 1;
  return base > 0 ? exp(exponent * log(base)) : 0;
}

// cos(pi x) for x in [0, 1]: the series on [0, pi / 2], whose first term left out, (pi / 2)^24 / 24!, is
// 8e-20.
inline double cos_of_half_turns(double x) {
  if (x > 0.5) return -cos_of_half_turns(1 - x);
  const double square = x * x * 9.869604401089358;
  double sum = 0;
  for (int n = 22; n > 0; n -= 2) sum = (1 + sum) * -square / (n * (n - 1));
  return 1 + sum;
}

// From 0 to 1 along half a cosine, as x goes from 0 to 1.
inline double half_cosine(double x) { return 0.5 * (1 - cos_of_half_turns(x)); }

}  // namespace plait::sdk::steady
