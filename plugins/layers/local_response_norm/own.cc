#include "own.hpp"

#include <plait/functions.hpp>

using plait::sdk::chosen;
using plait::sdk::exp_of;
using plait::sdk::log1p_of;

namespace local_response_norm {
namespace {

constexpr size_t kBlock = 256;  // channels at a time, and as many on either side as the window wants
constexpr size_t kMostHalf = kMostSize / 2;
constexpr size_t kInner = kBlock + 2 * kMostHalf, kOuter = kBlock + 4 * kMostHalf;

// Of x > 0 and no denormal; infinity gives 128 ln 2 and more, which e^-x still tells from 0.
PLAIT_INLINE float log_of(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const float mantissa = __builtin_bit_cast(float, (bits & 0x7FFFFFu) | 0x3F800000u);
  const auto exponent = static_cast<float>(static_cast<int32_t>(bits >> 23) - 127);
  return exponent * 0.693147181f + log1p_of(mantissa - 1.0f);
}
// s^-beta; 0 where s is infinite, NaN stays
PLAIT_INLINE float power_of(float s, float beta) {
  const float power = exp_of(-beta * log_of(s));
  return chosen(s <= 3.4028235e38f, power, chosen(s == s, 0.0f, s));
}

// Of `count` channels that follow each other, those [from, until) there are; the first is `begin`, which may
// be negative.
struct Known {
  size_t from, until;
};
PLAIT_INLINE Known known_of(ptrdiff_t begin, size_t count, size_t channels) {
  const auto all = static_cast<ptrdiff_t>(count), end = static_cast<ptrdiff_t>(channels) - begin;
  const ptrdiff_t from = begin < 0 ? (-begin < all ? -begin : all) : 0, until = end < all ? end : all;
  return {static_cast<size_t>(from), static_cast<size_t>(until > from ? until : from)};
}
PLAIT_INLINE void clear_others(const Known& known, size_t count, float* values) {
  for (size_t i = 0; i < known.from; ++i) values[i] = 0;
  for (size_t i = known.until; i < count; ++i) values[i] = 0;
}
// squares[i] = x[begin + i]^2
PLAIT_INLINE void square(const float* x, ptrdiff_t begin, size_t count, size_t channels, float* squares) {
  const Known known = known_of(begin, count, channels);
  clear_others(known, count, squares);
  const float* const first = x + (begin + static_cast<ptrdiff_t>(known.from));
  float* const to = squares + known.from;
  for (size_t i = 0; i < known.until - known.from; ++i) to[i] = first[i] * first[i];
}

// s[i] = begin + share (squares[i] + ... + squares[i + 2 half])
PLAIT_INLINE void window_sums(const Window& w, const float* squares, size_t count, float* s) {
  for (size_t i = 0; i < count; ++i) s[i] = squares[i];
  for (size_t j = 1; j <= 2 * w.half; ++j)
    for (size_t i = 0; i < count; ++i) s[i] += squares[i + j];
  for (size_t i = 0; i < count; ++i) s[i] = w.begin + w.share * s[i];
}

PLAIT_INLINE void forward_block(const Window& w, const float* x, size_t from, size_t count, float* y) {
  float squares[kInner], s[kBlock];
  square(x, static_cast<ptrdiff_t>(from) - static_cast<ptrdiff_t>(w.half), count + 2 * w.half, w.channels,
         squares);
  window_sums(w, squares, count, s);
#pragma GCC ivdep
  for (size_t i = 0; i < count; ++i) y[from + i] = x[from + i] * power_of(s[i], w.beta);
}

PLAIT_INLINE void backward_block(const Window& w, const float* x, const float* dy, size_t from, size_t count,
                                 float* dx) {
  float squares[kOuter], s[kInner], power[kInner], terms[kInner], sums[kBlock];
  const auto half = static_cast<ptrdiff_t>(w.half), begin = static_cast<ptrdiff_t>(from) - half;
  const size_t inner = count + 2 * w.half;
  square(x, begin - half, inner + 2 * w.half, w.channels, squares);
  window_sums(w, squares, inner, s);
  for (size_t i = 0; i < inner; ++i) power[i] = power_of(s[i], w.beta);
  const Known known = known_of(begin, inner, w.channels);
  clear_others(known, inner, terms);
  const ptrdiff_t first = begin + static_cast<ptrdiff_t>(known.from);
  for (size_t i = 0; i < known.until - known.from; ++i) {
    const size_t to = known.from + i;
    terms[to] = (dy + first)[i] * (x + first)[i] * (power[to] / s[to]);
  }
  for (size_t i = 0; i < count; ++i) sums[i] = terms[i];
  for (size_t j = 1; j <= 2 * w.half; ++j)
    for (size_t i = 0; i < count; ++i) sums[i] += terms[i + j];
  const float slope = 2 * w.share * w.beta;
#pragma GCC ivdep
  for (size_t i = 0; i < count; ++i)
    dx[from + i] = dy[from + i] * power[w.half + i] - slope * x[from + i] * sums[i];
}

PLAIT_FAST void forward_rows(const Window& w, const float* x, size_t rows, float* y) {
  for (size_t r = 0; r < rows; ++r, x += w.channels, y += w.channels)
    for (size_t from = 0; from < w.channels; from += kBlock)
      forward_block(w, x, from, w.channels - from < kBlock ? w.channels - from : kBlock, y);
}

PLAIT_FAST void backward_rows(const Window& w, const float* x, const float* dy, size_t rows, float* dx) {
  for (size_t r = 0; r < rows; ++r, x += w.channels, dy += w.channels, dx += w.channels)
    for (size_t from = 0; from < w.channels; from += kBlock)
      backward_block(w, x, dy, from, w.channels - from < kBlock ? w.channels - from : kBlock, dx);
}

}  // namespace

void forward(const Window& w, const float* x, size_t rows, float* y) { forward_rows(w, x, rows, y); }
void backward(const Window& w, const float* x, const float* dy, size_t rows, float* dx) {
  backward_rows(w, x, dy, rows, dx);
}

}  // namespace local_response_norm
