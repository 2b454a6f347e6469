#include "nearest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <plait/sdk/panels.hpp>

namespace plait::kmeans {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kWidth = 16;  // centres of a panel
constexpr size_t kVectors = sdk::kPanelVectors;

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

constexpr size_t kSums = kVectors * kWidth;

// sums [8, kWidth] = x [8, d] times a panel [d, kWidth].
PLAIT_FAST void multiply(const float* x, const float* panel, size_t d, float* sums) {
  sdk::multiply_panel<kWidth>(x, panel, d, sums);
}

// Of each vector and lane: the least of half - product, the panel that it is of, and the second least.
struct Least {
  float first[kSums], second[kSums];
  int32_t panel[kSums];
};

// `count` is kSums: a constant would be unrolled before anything is vectorised.
PLAIT_FAST void keep_least(const float* __restrict sums, const float* __restrict halves, int32_t panel,
                           size_t count, Least* __restrict found) {
  for (size_t c = 0; c < count; ++c) {
    const float rest = halves[c] - sums[c], first = found->first[c];
    const bool is_less = rest < first;
    const float larger = is_less ? first : rest;
    found->first[c] = is_less ? rest : first;
    found->panel[c] = is_less ? panel : found->panel[c];
    found->second[c] = larger < found->second[c] ? larger : found->second[c];
  }
}

// In lanes, as one sum would wait for each addition; lanes are then added in pairs. Difference: f32 or f64.
constexpr size_t kLanes = 16;
template <class Difference>
PLAIT_INLINE double sum_in_lanes(const float* x, const float* y, size_t d) {
  double sums[kLanes] = {};
  const size_t whole = d / kLanes * kLanes;
  for (size_t first = 0; first < whole; first += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double difference = Difference{x[first + lane]} - Difference{y[first + lane]};
      sums[lane] += difference * difference;
    }
  for (size_t lane = 0; lane < 8; ++lane) sums[lane] += sums[lane + 8];
  for (size_t lane = 0; lane < 4; ++lane) sums[lane] += sums[lane + 4];
  double sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  for (size_t i = whole; i < d; ++i) {
    const double difference = Difference{x[i]} - Difference{y[i]};
    sum += difference * difference;
  }
  return sum;
}
PLAIT_FAST double sum_squares(const float* x, const float* y, size_t d) {
  return sum_in_lanes<float>(x, y, d);
}
PLAIT_FAST double sum_f64_squares(const float* x, const float* y, size_t d) {
  return sum_in_lanes<double>(x, y, d);
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

double squared_distance(const float* x, const float* y, size_t d) { return sum_squares(x, y, d); }

Centres::Centres(std::span<const float> centres, size_t k, size_t d)
    : given_(centres.begin(), centres.end()), k_(k), d_(d), mean_(d), zeros_(d) {
  std::vector<double> sums(d), squares(k);
  for (size_t c = 0; c < k; ++c)
    for (size_t i = 0; i < d; ++i) sums[i] += centres[c * d + i];
  for (size_t i = 0; i < d; ++i) mean_[i] = static_cast<float>(sums[i] / static_cast<double>(k));
  const size_t panels = (k + kWidth - 1) / kWidth;
  panels_.resize(panels * d * kWidth);
  halves_.assign(panels * kSums, kInfinity);
  double longest = 0;
  for (size_t c = 0; c < k; ++c) {
    float* const column = &panels_[c / kWidth * d * kWidth + c % kWidth];
    for (size_t i = 0; i < d; ++i) {
      const float shifted = centres[c * d + i] - mean_[i];
      column[i * kWidth] = shifted;
      squares[c] += double{shifted} * shifted;
    }
    for (size_t v = 0; v < kVectors; ++v)
      halves_[c / kWidth * kSums + v * kWidth + c % kWidth] = static_cast<float>(squares[c] / 2);
    longest = std::max(longest, squares[c]);
  }
  longest_ = std::sqrt(longest);
}

bool Centres::are(std::span<const float> centres) const {
  return centres.size() == given_.size() &&
         std::memcmp(centres.data(), given_.data(), centres.size_bytes()) == 0;
}

// |x - c|^2 / 2 = |x|^2 / 2 + (|c|^2 / 2 - x c), of which the first is the same for all centres. What lies so
// near to the least that rounding to f32 may have chosen is decided in f64.
void Centres::nearest(const float* vectors, size_t count, uint32_t* to) const {
  std::vector<float> shifted(kVectors * d_);  // past the last vector: what was there, and is not read
  float sums[kSums];
  Least found;
  for (size_t begin = 0; begin < count; begin += kVectors) {
    const size_t some = std::min(kVectors, count - begin);
    for (size_t v = 0; v < some; ++v)
      subtract(vectors + (begin + v) * d_, mean_.data(), d_, &shifted[v * d_]);
    std::fill_n(found.first, kSums, kInfinity);
    std::fill_n(found.second, kSums, kInfinity);
    std::fill_n(found.panel, kSums, 0);
    for (size_t p = 0; p < halves_.size() / kSums; ++p) {
      multiply(shifted.data(), &panels_[p * d_ * kWidth], d_, sums);
      keep_least(sums, &halves_[p * kSums], static_cast<int32_t>(p), kSums, &found);
    }
    for (size_t v = 0; v < some; ++v) {
      const float* const first = found.first + v * kWidth;
      const auto lane = static_cast<size_t>(std::min_element(first, first + kWidth) - first);
      const float limit = first[lane] + rounding(&shifted[v * d_]);
      size_t near = 0;
      for (size_t c = v * kWidth; c < (v + 1) * kWidth; ++c)
        near += static_cast<size_t>(found.first[c] <= limit) + static_cast<size_t>(found.second[c] <= limit);
      to[begin + v] = near > 1 ? nearest_in_f64(vectors + (begin + v) * d_)
                               : static_cast<uint32_t>(found.panel[v * kWidth + lane]) * uint32_t{kWidth} +
                                     static_cast<uint32_t>(lane);
    }
  }
}

// How far the difference of two centres' rests may be off, x and centres shifted: sums of d products and what
// is rounded before and after them. Rounding errors are as if drawn: of d of them all but sqrt(d) times a
// small factor cancel (Higham, Mary 2019).
float Centres::rounding(const float* shifted) const {
  const double length = std::sqrt(sum_squares(shifted, zeros_.data(), d_)) + longest_;
  const auto d = static_cast<double>(d_);
  return static_cast<float>(2 * (std::min(d, 8 * std::sqrt(d)) + 8) * 0x1p-24 * length * length);
}

uint32_t Centres::nearest_in_f64(const float* vector) const {
  double least = std::numeric_limits<double>::infinity();
  uint32_t nearest = 0;
  for (size_t c = 0; c < k_; ++c) {
    const double distance = sum_f64_squares(vector, &given_[c * d_], d_);
    if (!(distance < least)) continue;
    least = distance;
    nearest = static_cast<uint32_t>(c);
  }
  return nearest;
}

}  // namespace plait::kmeans
