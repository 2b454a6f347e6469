// The mean of the shards on a device, an element at a time: what a device's add_to_sums and mean_of_sums do
// to element i of a plait_exact_sums (<plait/abi.h> defines it). On integers wherever they do, so that no
// mode of a processor (denormals taken for 0, products and sums in one) changes a bit.
//
//   const exact::Sums<int32_t> own(sums);
//   exact::add(own, i, x[i], weight);   // where exact::is_finite(x[i])
//   out[i] = exact::mean(own, i, total_weight);
//
// Threads: [any], one an element.
#pragma once
#include <plait/abi.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "anywhere.hpp"

namespace plait::sdk::exact {

PLAIT_ANYWHERE inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
PLAIT_ANYWHERE inline float from_bits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

PLAIT_ANYWHERE inline bool is_finite(float x) { return (bits_of(x) & 0x7F800000u) != 0x7F800000u; }

// What is below the least normal number as 0: so does the host, in whose mode denormals are 0.
PLAIT_ANYWHERE inline float flushed(float x) { return (bits_of(x) & 0x7F800000u) == 0 ? 0.0f : x; }
PLAIT_ANYWHERE inline float difference(float x, float before) {
  return flushed(flushed(x) - flushed(before));
}

// Integer: int64_t where the sums are wide, else int32_t. What a kernel is given by value.
template <class Integer>
struct Sums {
  Integer* high = nullptr;
  Integer* low = nullptr;
  uint8_t* window = nullptr;
  Sums() = default;
  explicit Sums(const plait_exact_sums& sums)
      : high(static_cast<Integer*>(sums.high)), low(static_cast<Integer*>(sums.low)), window(sums.window) {}
};

// m / 2^shift, rounded to the nearest whole number, ties to even. m: below 2^24
PLAIT_ANYWHERE inline int32_t shifted(int32_t m, int shift) {
  if (shift > 24) return 0;  // less than a half
  if (shift <= 0) return m;
  const int32_t whole = m >> shift, rest = m - (whole << shift), half = 1 << (shift - 1);
  return whole + (rest > half || (rest == half && (whole & 1) != 0) ? 1 : 0);
}

// The top of x, whose magnitude has these bits: the lowest window in which it has at most 2^23 units.
PLAIT_ANYWHERE inline int top_of(uint32_t magnitude) {
  const int top = static_cast<int>(((magnitude + 23 * (1u << 23) - 1) >> 23) / 24);
  return top > 1 ? top : 1;
}

// Adds weight * x, which is finite.
template <class Integer>
PLAIT_ANYWHERE inline void add(const Sums<Integer>& sums, uint64_t i, float x, int32_t weight) {
  const uint32_t bits = bits_of(x), magnitude = bits & 0x7FFFFFFFu;
  const int kept = sums.window[i] > 1 ? sums.window[i] : 1, own = top_of(magnitude);
  const int window = own > kept ? own : kept, rise = window - kept;
  Integer high = rise == 0 ? sums.high[i] : 0;
  Integer low = rise == 0 ? sums.low[i] : rise == 1 ? sums.high[i] : 0;
  // |x| = m 2^e units of 2^-149, and so m / 2^shift units of its window.
  const int exponent = static_cast<int>(magnitude >> 23), e = exponent > 1 ? exponent - 1 : 0;
  const auto m = static_cast<int32_t>((magnitude & 0x7FFFFFu) | (exponent > 0 ? 0x800000u : 0));
  const int shift = 24 * window - e;
  int32_t in_high = 0, in_low = 0;
  if (shift <= 0) {
    in_high = m << -shift;
  } else if (shift <= 24) {
    in_high = shifted(m, shift);
    in_low = (m - (in_high << shift)) << (24 - shift);
  } else {
    in_low = shifted(m, shift - 24);
  }
  const Integer signed_weight = (bits >> 31) != 0 ? -static_cast<Integer>(weight) : weight;
  sums.high[i] = high + signed_weight * in_high;
  sums.low[i] = low + signed_weight * in_low;
  sums.window[i] = static_cast<uint8_t>(window);
}

// The sum over total_weight, as f32.
template <class Integer>
PLAIT_ANYWHERE inline float mean(const Sums<Integer>& sums, uint64_t i, double total_weight) {
  const int window = sums.window[i] > 1 ? sums.window[i] : 1;
  const double sum = static_cast<double>(sums.high[i]) * 0x1p24 + static_cast<double>(sums.low[i]);
  const double mean = sum * std::ldexp(1.0, 24 * (window - 1) - 149) / total_weight;
  constexpr double kLargest = 0x1.fffffep127, kLeastNormal = 0x1p-126;
  if (mean >= kLargest) return from_bits(0x7F7FFFFFu);
  if (mean <= -kLargest) return from_bits(0xFF7FFFFFu);
  if (std::fabs(mean) >= kLeastNormal) return static_cast<float>(mean);
  // The bits of a denormal are its value in units of 2^-149.
  const auto units = static_cast<int32_t>(std::rint(mean * 0x1p149));
  return from_bits(units < 0 ? 0x80000000u | static_cast<uint32_t>(-units) : static_cast<uint32_t>(units));
}

}  // namespace plait::sdk::exact
