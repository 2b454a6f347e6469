// Loops of <plait/group_norm.hpp> for samples of one place, [N, C]: the numbers of a group lie together, so
// that they are summed along themselves instead of channel by channel.
//
// Sums run in f64, about the first number of the group, in an order that follows from their count alone.
// Threads: [any]
#pragma once
#include <plait/sdk/fast.hpp>

#include <cmath>
#include <cstddef>

namespace plait::sdk::detail {

struct GroupStatistics {
  float mean, inverse_deviation;
};

// Eight sums side by side, added at the end, of term(i) for i below count.
template <class Term>
PLAIT_INLINE double sum_of_terms(size_t count, const Term& term) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; ++j) sums[j] += term(i + j);
  for (size_t j = 0; i < count; ++i, ++j) sums[j] += term(i);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// Terms: u = x - about, u u, and w s, where w is null s.
struct Offsets {
  const float* x;
  double about;
  PLAIT_INLINE double operator()(size_t i) const { return static_cast<double>(x[i]) - about; }
};
struct Squares {
  Offsets offsets;
  PLAIT_INLINE double operator()(size_t i) const { return offsets(i) * offsets(i); }
};
struct Weighted {
  const float* w;
  const double* s;
  PLAIT_INLINE double operator()(size_t i) const { return static_cast<double>(w[i]) * s[i]; }
};
struct Unweighted {
  const double* s;
  PLAIT_INLINE double operator()(size_t i) const { return s[i]; }
};
PLAIT_INLINE double weighted_sum(const float* w, const double* s, size_t count) {
  return w ? sum_of_terms(count, Weighted{w, s}) : sum_of_terms(count, Unweighted{s});
}

// y [groups, per] of x alike. weight and bias [groups, per], or null both; kept [groups], or null.
PLAIT_FAST inline void normalize_vector(const float* x, const float* weight, const float* bias, size_t groups,
                                        size_t per, double epsilon, GroupStatistics* kept, float* y) {
  for (size_t g = 0; g < groups; ++g) {
    const float* const from = x + g * per;
    float* const to = y + g * per;
    const auto first = static_cast<double>(from[0]), count = static_cast<double>(per);
    const Offsets offsets{from, first};
    const double off = sum_of_terms(per, offsets) / count;
    const double squares = sum_of_terms(per, Squares{offsets});
    const double spread = squares / count - off * off, variance = spread < 0 ? 0.0 : spread;  // NaN stays
    const double inverse = 1 / std::sqrt(variance + epsilon), mean = first + off;
    const auto about = static_cast<float>(mean);
    if (kept) kept[g] = {about, static_cast<float>(inverse)};
    const double left = static_cast<double>(about) - mean;
    if (!weight) {
      const auto factor = static_cast<float>(inverse), shift = static_cast<float>(left * inverse);
      for (size_t k = 0; k < per; ++k) to[k] = (from[k] - about) * factor + shift;
      continue;
    }
    const float *const w = weight + g * per, *const b = bias + g * per;
    for (size_t k = 0; k < per; ++k) {
      const double factor = static_cast<double>(w[k]) * inverse;
      to[k] = (from[k] - about) * static_cast<float>(factor) +
              static_cast<float>(static_cast<double>(b[k]) + left * factor);
    }
  }
}

// sums [2, groups, per]: dy, and dy (x - mean) / deviation. dx [groups, per], or null.
PLAIT_FAST inline void undo_vector(const float* x, const float* dy, const float* weight, size_t groups,
                                   size_t per, const GroupStatistics* kept, double* sums, float* dx) {
  double* const products = sums + groups * per;
  for (size_t g = 0; g < groups; ++g) {
    const size_t at = g * per;
    const auto mean = static_cast<double>(kept[g].mean),
               inverse = static_cast<double>(kept[g].inverse_deviation), count = static_cast<double>(per);
    for (size_t k = at; k < at + per; ++k) {
      const auto u = static_cast<double>(dy[k]);
      sums[k] = u;
      products[k] = u * (static_cast<double>(x[k]) - mean) * inverse;
    }
    if (!dx) continue;
    const float* const w = weight ? weight + at : nullptr;
    const double total = weighted_sum(w, sums + at, per), along = weighted_sum(w, products + at, per);
    const auto other = static_cast<float>(-inverse * inverse * along / count),
               shift = static_cast<float>(-inverse * total / count);
    const float about = kept[g].mean;
    for (size_t k = at; k < at + per; ++k) {
      const float factor = static_cast<float>((weight ? static_cast<double>(weight[k]) : 1.0) * inverse);
      dx[k] = factor * dy[k] + (other * (x[k] - about) + shift);
    }
  }
}

PLAIT_FAST inline void add_doubles(const double* from, double* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace plait::sdk::detail
