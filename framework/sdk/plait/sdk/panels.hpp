// Products of eight vectors with a panel of others, the inner loop of "which of these is it nearest to": for
// plugins with PLAIT_FAST kernels. Optional; sdk.hpp does not include it.
//
//   constexpr size_t kWidth = 16;
//   PLAIT_FAST void multiply(const float* x, const float* panel, size_t d, float* sums) {
//     multiply_panel<kWidth>(x, panel, d, sums);
//   }
//
// Shapes: x [8, d]; panel [d, width], element i of `width` vectors beside each other; sums [8, width].
// Threads: [any]
#pragma once
#include <cstddef>

#include "fast.hpp"

namespace plait::sdk {

inline constexpr size_t kPanelVectors = 8;  // whose products with a panel stay in registers

// sums = x panel: eight rows, so that no addition waits for the one before it. Each sum runs over i alone:
// how vectors and panels are blocked does not change it.
template <size_t width, class V>
PLAIT_INLINE void multiply_panel(const V* x, const V* panel, size_t d, V* sums) {
  V s0[width] = {}, s1[width] = {}, s2[width] = {}, s3[width] = {};
  V s4[width] = {}, s5[width] = {}, s6[width] = {}, s7[width] = {};
  for (size_t i = 0; i < d; ++i) {
    const V* const y = panel + i * width;
    const V* const xi = x + i;
    for (size_t c = 0; c < width; ++c) {
      s0[c] += xi[0] * y[c];
      s1[c] += xi[d] * y[c];
      s2[c] += xi[2 * d] * y[c];
      s3[c] += xi[3 * d] * y[c];
      s4[c] += xi[4 * d] * y[c];
      s5[c] += xi[5 * d] * y[c];
      s6[c] += xi[6 * d] * y[c];
      s7[c] += xi[7 * d] * y[c];
    }
  }
  for (size_t c = 0; c < width; ++c) {
    sums[c] = s0[c];
    sums[width + c] = s1[c];
    sums[2 * width + c] = s2[c];
    sums[3 * width + c] = s3[c];
    sums[4 * width + c] = s4[c];
    sums[5 * width + c] = s5[c];
    sums[6 * width + c] = s6[c];
    sums[7 * width + c] = s7[c];
  }
}

}  // namespace plait::sdk
