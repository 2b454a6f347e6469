#include "nearest.h"

#include <algorithm>
#include <limits>
#include <plait/sdk/fast.hpp>

namespace plait::kmeans {
namespace {

constexpr size_t kWidth = 16;   // centres of a panel
constexpr size_t kVectors = 4;  // whose products with a panel stay in registers

template <class V>
PLAIT_INLINE void round_all(const V* __restrict from, size_t count, float* __restrict to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
}
PLAIT_FAST void round_f64(const double* from, size_t count, float* to) { round_all(from, count, to); }
PLAIT_FAST void round_u8(const uint8_t* from, size_t count, float* to) { round_all(from, count, to); }
PLAIT_FAST void round_i32(const int32_t* from, size_t count, float* to) { round_all(from, count, to); }
PLAIT_FAST void round_i64(const int64_t* from, size_t count, float* to) { round_all(from, count, to); }

PLAIT_FAST void subtract(const float* __restrict from, const float* __restrict what, size_t count,
                         float* __restrict to) {
  for (size_t i = 0; i < count; ++i) to[i] = from[i] - what[i];
}

// sums [4, 16] = the vectors times a panel [d, 16].
PLAIT_FAST void multiply(const float* x0, const float* x1, const float* x2, const float* x3,
                         const float* panel, size_t d, float* sums) {
  float sum0[kWidth] = {}, sum1[kWidth] = {}, sum2[kWidth] = {}, sum3[kWidth] = {};
  for (size_t i = 0; i < d; ++i) {
    const float* y = panel + i * kWidth;
    for (size_t c = 0; c < kWidth; ++c) {
      sum0[c] += x0[i] * y[c];
      sum1[c] += x1[i] * y[c];
      sum2[c] += x2[i] * y[c];
      sum3[c] += x3[i] * y[c];
    }
  }
  for (size_t c = 0; c < kWidth; ++c) {
    sums[c] = sum0[c];
    sums[kWidth + c] = sum1[c];
    sums[2 * kWidth + c] = sum2[c];
    sums[3 * kWidth + c] = sum3[c];
  }
}

// Adds up in lanes, as one sum would wait for each addition.
constexpr size_t kLanes = 16;
PLAIT_FAST void add_squares(const float* x, const float* y, size_t blocks, double* lanes) {
  double sums[kLanes] = {};
  for (size_t block = 0; block < blocks; ++block)
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double difference = x[block * kLanes + lane] - y[block * kLanes + lane];
      sums[lane] += difference * difference;
    }
  for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = sums[lane];
}

}  // namespace

void to_f32(const sdk::Tensor& values, float* to) {
  using sdk::DType;
  const size_t count = values.size();
  switch (values.dtype()) {
    case DType::f32:
      return static_cast<void>(std::ranges::copy(values.data<float>(), to));
    case DType::f64:
      return round_f64(values.data<double>().data(), count, to);
    case DType::u8:
      return round_u8(values.data<uint8_t>().data(), count, to);
    case DType::i32:
      return round_i32(values.data<int32_t>().data(), count, to);
    default:
      return round_i64(values.data<int64_t>().data(), count, to);
  }
}

double squared_distance(const float* x, const float* y, size_t d) {
  double lanes[kLanes];
  add_squares(x, y, d / kLanes, lanes);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (size_t i = d / kLanes * kLanes; i < d; ++i) {
    const double difference = x[i] - y[i];
    sum += difference * difference;
  }
  return sum;
}

Centres::Centres(std::span<const float> centres, size_t k, size_t d) : k_(k), d_(d), mean_(d) {
  std::vector<double> sums(d), squares(k);
  for (size_t c = 0; c < k; ++c)
    for (size_t i = 0; i < d; ++i) sums[i] += centres[c * d + i];
  for (size_t i = 0; i < d; ++i) mean_[i] = static_cast<float>(sums[i] / static_cast<double>(k));
  const size_t panels = (k + kWidth - 1) / kWidth;
  panels_.resize(panels * d * kWidth);
  halves_.assign(panels * kWidth, std::numeric_limits<float>::infinity());
  for (size_t c = 0; c < k; ++c) {
    float* const column = &panels_[c / kWidth * d * kWidth + c % kWidth];
    for (size_t i = 0; i < d; ++i) {
      const float shifted = centres[c * d + i] - mean_[i];
      column[i * kWidth] = shifted;
      squares[c] += double{shifted} * shifted;
    }
    halves_[c] = static_cast<float>(squares[c] / 2);
  }
}

void Centres::nearest(const float* vectors, size_t count, uint32_t* to) const {
  std::vector<float> shifted(kVectors * d_);
  for (size_t first = 0; first < count; first += kVectors) {
    const size_t some = std::min(kVectors, count - first);
    const float* four[kVectors];
    for (size_t v = 0; v < kVectors; ++v) four[v] = &shifted[std::min(v, some - 1) * d_];
    for (size_t v = 0; v < some; ++v)
      subtract(vectors + (first + v) * d_, mean_.data(), d_, &shifted[v * d_]);
    uint32_t found[kVectors];
    nearest_of_four(four, found);
    std::copy_n(found, some, to + first);
  }
}

// |x - c|^2 / 2 = |x|^2 / 2 + (|c|^2 / 2 - x c), of which the first is the same for all centres.
void Centres::nearest_of_four(const float* const* shifted, uint32_t* to) const {
  float least[kVectors], products[kVectors * kWidth];
  std::fill_n(least, kVectors, std::numeric_limits<float>::infinity());
  std::fill_n(to, kVectors, 0u);
  for (size_t first = 0; first < k_; first += kWidth) {
    multiply(shifted[0], shifted[1], shifted[2], shifted[3], &panels_[first * d_], d_, products);
    for (size_t v = 0; v < kVectors; ++v) {
      for (size_t c = 0; c < kWidth; ++c) {
        const float rest = halves_[first + c] - products[v * kWidth + c];
        if (!(rest < least[v])) continue;
        least[v] = rest;
        to[v] = static_cast<uint32_t>(first + c);
      }
    }
  }
}

}  // namespace plait::kmeans
