// Elementary functions of f32 without branches: a loop that calls them in a function marked PLAIT_FAST
// (sdk/fast.hpp) is vectorised for each instruction set. Optional; sdk.hpp does not include it.
//
//   PLAIT_FAST void swish(const float* x, float* y, size_t count) {
//     for (size_t i = 0; i < count; ++i) y[i] = x[i] * sigmoid_of(x[i]);
//   }
//
// Each is off by a few units of the last place of its result, also where the result is small, and NaN stays
// NaN. Nothing is smaller than e^-87 (times it only what is bounded). Other bits on another instruction set;
// on one set always the same. Such loops call compiler builtins (__builtin_fabsf) where std:: has functions,
// which are not inlined there. Threads: [any]
#pragma once
#include <cstddef>
#include <cstdint>

#include "sdk/fast.hpp"

namespace plait::sdk {

// yes or no by their bits: compilers make branches of ?: where one side is a constant, and do not vectorise.
PLAIT_INLINE float chosen(bool condition, float yes, float no) {
  const uint32_t mask = 0u - static_cast<uint32_t>(condition);
  return __builtin_bit_cast(
      float, (__builtin_bit_cast(uint32_t, yes) & mask) | (__builtin_bit_cast(uint32_t, no) & ~mask));
}

namespace detail {

// e^(x + low) = power (1 + rest).
struct ExpParts {
  float power, rest;
};

// |x| at most 88, |low| at most 0.06, else wrong numbers. Source: Cody and Waite 1980 (reduction by ln 2 in
// two parts); a Taylor polynomial of degree 8.
PLAIT_INLINE ExpParts exp_parts(float x, float low) {
  constexpr float kWhole = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  const float shifted = x * 1.44269504f + kWhole;
  const float whole = shifted - kWhole;
  const float r = whole * 2.12194440e-4f + (whole * -0.693359375f + x) + low;
  float p = 1.0f / 40320;
  p = p * r + 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  const float rest = r * r * p + r;
  // The whole number is in the last bits of `shifted`, and all above it is shifted out.
  return {__builtin_bit_cast(float, (__builtin_bit_cast(uint32_t, shifted) + 127u) << 23), rest};
}

// To -87 .. 88, NaN stays.
PLAIT_INLINE float within_exp(float x) {
  const float low = chosen(x < -87.0f, -87.0f, x);
  return chosen(x > 88.0f, 88.0f, low);
}

}  // namespace detail

// e^x; e^88 above 88, e^-87 below -87.
PLAIT_INLINE float exp_of(float x) {
  const detail::ExpParts e = detail::exp_parts(detail::within_exp(x), 0);
  return e.power * e.rest + e.power;
}

// e^x - 1; e^88 above 88.
PLAIT_INLINE float expm1_of(float x) {
  const detail::ExpParts e = detail::exp_parts(detail::within_exp(x), 0);
  return e.power * e.rest + (e.power - 1.0f);
}

// ln(1 + z), 0 <= z <= 1: 2 artanh(z / (2 + z)) by its series, whose terms fall by 9.
PLAIT_INLINE float log1p_of(float z) {
  const float s = z / (2.0f + z), square = s * s;
  float p = 1.0f / 17;
  p = p * square + 1.0f / 15;
  p = p * square + 1.0f / 13;
  p = p * square + 1.0f / 11;
  p = p * square + 1.0f / 9;
  p = p * square + 1.0f / 7;
  p = p * square + 1.0f / 5;
  p = p * square + 1.0f / 3;
  return 2.0f * (s * square * p + s);
}

// 1 / (1 + e^-x)
PLAIT_INLINE float sigmoid_of(float x) {
  const float e = exp_of(-__builtin_fabsf(x));
  const float far = 1.0f / (1.0f + e);
  return chosen(x < 0.0f, e * far, far);
}

PLAIT_INLINE float tanh_of(float x) {
  const float e = expm1_of(-2.0f * __builtin_fabsf(x));
  return __builtin_copysignf(e / (e + 2.0f), x);
}

// ln(1 + e^x)
PLAIT_INLINE float softplus_of(float x) {
  return chosen(x < 0.0f, 0.0f, x) + log1p_of(exp_of(-__builtin_fabsf(x)));
}

// The standard normal distribution: its density, and the probability of what is below x.
struct NormalAt {
  float density, below;
};

// a^2 / 2 is split where its square is exact, since e^-(a^2 / 2) would lose as many digits as it is large.
// What lies beyond a has the probability e^-(a^2 / 2) M(a), where M is smooth: t times a polynomial of t =
// 1 / (1 + 0.4 a), fitted to a relative error of 1.5e-8 on 0 <= a <= 14.
PLAIT_INLINE NormalAt normal_at(float x) {
  const float a = chosen(__builtin_fabsf(x) > 13.0f, 13.0f, __builtin_fabsf(x));
  const float high = __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, a) & 0xFFFFF000u), low = a - high;
  const detail::ExpParts e = detail::exp_parts(-0.5f * high * high, -0.5f * low * (a + high));
  const float power = e.power * e.rest + e.power;
  const float t = 1.0f / (1.0f + 0.4f * a), u = t - 0.5f;
  float m = 0.0320987366f;
  m = m * u - 0.0317362025f;
  m = m * u - 0.035035301f;
  m = m * u + 0.0645766258f;
  m = m * u + 0.0204944909f;
  m = m * u - 0.104869284f;
  m = m * u - 0.0295550842f;
  m = m * u + 0.211179122f;
  m = m * u + 0.346953601f;
  m = m * u + 0.28266266f;
  const float beyond = power * (m * t);
  return {0.398942280f * power, chosen(x < 0.0f, beyond, 1.0f - beyond)};
}

// Sums in f64 of many numbers, and of products, which are exact there. Eight sums go side by side and are
// added at the end: the same bits on every instruction set.
PLAIT_INLINE double sum_of(const float* x, size_t count) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; ++j) sums[j] += x[i + j];
  for (size_t j = 0; i < count; ++i, ++j) sums[j] += x[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}
PLAIT_INLINE double dot_of(const float* x, const float* y, size_t count) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; ++j) sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
  for (size_t j = 0; i < count; ++i, ++j) sums[j] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace plait::sdk
