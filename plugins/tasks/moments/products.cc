#include "products.h"

#include <algorithm>
#include <plait/sdk/fast.hpp>
#include <vector>

namespace plait::moments {
namespace {

constexpr size_t kWidth = 16;  // columns of a panel

// Panels are [rows, kWidth]; tile [kWidth, kWidth] = left^T right. Four rows of the tile stay in registers.
template <class V>
PLAIT_INLINE void multiply_panels(const V* left, const V* right, size_t rows, V* tile) {
  for (size_t a = 0; a < kWidth; a += 4) {
    V sum0[kWidth] = {}, sum1[kWidth] = {}, sum2[kWidth] = {}, sum3[kWidth] = {};
    for (size_t r = 0; r < rows; ++r) {
      const V* x = left + r * kWidth + a;
      const V* y = right + r * kWidth;
      for (size_t b = 0; b < kWidth; ++b) {
        sum0[b] += x[0] * y[b];
        sum1[b] += x[1] * y[b];
        sum2[b] += x[2] * y[b];
        sum3[b] += x[3] * y[b];
      }
    }
    for (size_t b = 0; b < kWidth; ++b) {
      tile[a * kWidth + b] = sum0[b];
      tile[(a + 1) * kWidth + b] = sum1[b];
      tile[(a + 2) * kWidth + b] = sum2[b];
      tile[(a + 3) * kWidth + b] = sum3[b];
    }
  }
}
PLAIT_FAST void multiply(const float* left, const float* right, size_t rows, float* tile) {
  multiply_panels(left, right, rows, tile);
}
PLAIT_FAST void multiply(const double* left, const double* right, size_t rows, double* tile) {
  multiply_panels(left, right, rows, tile);
}

template <class V>
std::vector<V> panels_of(const V* values, size_t rows, size_t n) {
  const size_t count = (n + kWidth - 1) / kWidth;
  std::vector<V> panels(count * rows * kWidth);
  for (size_t p = 0; p < count; ++p) {
    const size_t first = p * kWidth, width = std::min(kWidth, n - first);
    for (size_t r = 0; r < rows; ++r)
      std::copy_n(values + r * n + first, width, &panels[(p * rows + r) * kWidth]);
  }
  return panels;
}

template <class V, class Sum>
void add_all(const V* values, size_t rows, size_t n, Sum* to) {
  const std::vector<V> panels = panels_of(values, rows, n);
  const size_t panel = rows * kWidth;
  V tile[kWidth * kWidth];
  for (size_t left = 0; left < n; left += kWidth) {
    for (size_t right = left; right < n; right += kWidth) {
      multiply(&panels[left / kWidth * panel], &panels[right / kWidth * panel], rows, tile);
      for (size_t i = left; i < std::min(n, left + kWidth); ++i) {
        const size_t begin = std::max(i, right), end = std::min(n, right + kWidth);
        Sum* const row = to + triangle_place(n, i, begin);
        const V* const sums = tile + (i - left) * kWidth + (begin - right);
        for (size_t j = 0; j < end - begin; ++j) row[j] += static_cast<Sum>(sums[j]);
      }
    }
  }
}

}  // namespace

void add_products(const float* values, size_t rows, size_t n, int64_t* to) { add_all(values, rows, n, to); }
void add_products(const double* values, size_t rows, size_t n, double* to) { add_all(values, rows, n, to); }

}  // namespace plait::moments
