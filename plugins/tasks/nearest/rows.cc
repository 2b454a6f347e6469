#include "rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <plait/sdk/panels.hpp>

namespace plait::nearest {
namespace {

constexpr size_t kWidth = 8;  // rows of a panel
constexpr size_t kVectors = sdk::kPanelVectors;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// sums [8, kWidth] = x [8, d] times a panel [d, kWidth].
PLAIT_FAST void multiply(const double* x, const double* panel, size_t d, double* sums) {
  sdk::multiply_panel<kWidth>(x, panel, d, sums);
}

double squared_distance(const double* x, const double* y, size_t d) {
  double sum = 0;
  for (size_t i = 0; i < d; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

double product(const double* x, const double* y, size_t d) {
  double sum = 0;
  for (size_t i = 0; i < d; ++i) sum += x[i] * y[i];
  return sum;
}

bool is_nearer(const Near& a, const Near& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
}

// Among the k nearest so far, which are sorted.
void keep(std::span<Near> found, const Near& one) {
  size_t at = found.size() - 1;
  for (; at > 0 && is_nearer(one, found[at - 1]); --at) found[at] = found[at - 1];
  found[at] = one;
}

}  // namespace

double length(const double* vector, size_t d) { return std::sqrt(product(vector, vector, d)); }

Rows::Rows(std::vector<double> rows, size_t d, Metric metric)
    : rows_(std::move(rows)), d_(d), metric_(metric) {
  const size_t n = count(), panels = (n + kWidth - 1) / kWidth;
  panels_.resize(panels * d * kWidth);
  halves_.assign(panels * kWidth, kInfinity);
  for (size_t r = 0; r < n; ++r) {
    double* const row = &rows_[r * d];
    if (metric == Metric::kCosine) {
      const double whole = length(row, d);
      for (size_t i = 0; i < d; ++i) row[i] /= whole;
    }
    halves_[r] = metric == Metric::kCosine ? 0 : product(row, row, d) / 2;
    for (size_t i = 0; i < d; ++i) panels_[(r / kWidth * d + i) * kWidth + r % kWidth] = row[i];
  }
}

// |x - r|^2 / 2 = |x|^2 / 2 + (|r|^2 / 2 - x r), of which the first is the same for all rows.
void Rows::nearest(const double* vectors, size_t m, size_t k, std::vector<Near>& to) const {
  to.assign(m * k, {kInfinity, 0});
  std::vector<double> eight(kVectors * d_);  // past the last vector: what was there, and is not read
  double sums[kVectors * kWidth];
  for (size_t begin = 0; begin < m; begin += kVectors) {
    const size_t some = std::min(kVectors, m - begin);
    std::copy_n(vectors + begin * d_, some * d_, eight.begin());
    for (size_t first = 0; first < halves_.size(); first += kWidth) {
      multiply(eight.data(), &panels_[first * d_], d_, sums);
      for (size_t v = 0; v < some; ++v) {
        const std::span found(&to[(begin + v) * k], k);
        for (size_t c = 0; c < kWidth; ++c) {
          const double rest = halves_[first + c] - sums[v * kWidth + c];
          if (rest < found.back().distance) keep(found, {rest, static_cast<int64_t>(first + c)});
        }
      }
    }
    for (size_t v = 0; v < some; ++v) measure(vectors + (begin + v) * d_, std::span(&to[(begin + v) * k], k));
  }
}

void Rows::measure(const double* vector, std::span<Near> found) const {
  const double whole = length(vector, d_);
  for (Near& one : found) {
    const double* const row = &rows_[static_cast<size_t>(one.row) * d_];
    if (metric_ == Metric::kEuclidean)
      one.distance = std::sqrt(squared_distance(vector, row, d_));
    else
      one.distance = std::clamp(1 - product(vector, row, d_) / whole, 0.0, 2.0);
  }
  std::sort(found.begin(), found.end(), is_nearer);
}

}  // namespace plait::nearest
