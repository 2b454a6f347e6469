// Kernels of map.hpp and sums.hpp on the host, for tests: the same functions, element by element, and the
// same order of sums. Nothing of CUDA is needed.
//
// Threads: [any]
#pragma once
#include <plait/cuda/column_split.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace plait::sdk::gpu::testing {

// What gpu::map does.
template <class Work>
void map(uint64_t count, const Work& work) {
  for (uint64_t i = 0; i < count; ++i) {
    if constexpr (requires { work(i); }) {
      work(i);
    } else {
      work.store(i, work.load(i));
    }
  }
}

namespace detail {

template <unsigned kSums>
using Sums = std::array<double, kSums>;

template <unsigned kSums>
void add(Sums<kSums>& to, const Sums<kSums>& from) {
  for (unsigned k = 0; k < kSums; ++k) to[k] += from[k];
}
// Halves onto halves, as the threads of a block do.
template <unsigned kSums>
Sums<kSums> folded(std::vector<Sums<kSums>> parts) {
  for (size_t half = parts.size() / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) add<kSums>(parts[i], parts[i + half]);
  return parts[0];
}

template <class Term>
Sums<Term::kSums> piece(const ColumnSplit& s, const Term& term, uint64_t piece, uint64_t column) {
  std::vector<Sums<Term::kSums>> parts(s.high);
  const uint64_t end = std::min((piece + 1) * s.rows_a_piece, s.rows);
  for (uint32_t down = 0; down < s.high; ++down)
    for (uint64_t row = piece * s.rows_a_piece + down; row < end; row += s.high)
      term.add(row * s.columns + column, column, parts[down].data());
  return folded<Term::kSums>(parts);
}

}  // namespace detail

// What gpu::sum_columns does.
template <class Term, class Finish>
void sum_columns(const ColumnSplit& s, const Term& term, const Finish& finish) {
  constexpr unsigned kSums = Term::kSums;
  for (uint64_t column = 0; column < s.columns; ++column) {
    if (s.is_short()) {
      detail::Sums<kSums> sums{};
      for (uint64_t row = 0; row < s.rows; ++row) term.add(row * s.columns + column, column, sums.data());
      finish(column, sums.data());
      continue;
    }
    const bool is_few = s.pieces <= ColumnSplit::kFewPieces;
    std::vector<detail::Sums<kSums>> parts(is_few ? 1 : ColumnSplit::kAdders);
    for (uint64_t p = 0; p < s.pieces; ++p)
      detail::add<kSums>(parts[p % parts.size()], detail::piece(s, term, p, column));
    finish(column, detail::folded<kSums>(parts).data());
  }
}

// The largest |a - b| / (1 + |b|); infinity where NaN meets a number or the lengths differ.
inline double distance(std::span<const float> a, std::span<const float> b) {
  double most = a.size() == b.size() ? 0 : HUGE_VAL;
  for (size_t i = 0; most < HUGE_VAL && i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) most = HUGE_VAL;
    if (a[i] == b[i] || std::isnan(a[i])) continue;
    most = std::max(most, std::abs(double{a[i]} - b[i]) / (1 + std::abs(double{b[i]})));
  }
  return most;
}

}  // namespace plait::sdk::gpu::testing
