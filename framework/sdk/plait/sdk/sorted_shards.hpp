// What robust reducers begin with: of each element the values of all shards, sorted.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "context.hpp"
#include "error.hpp"
#include "fast.hpp"

namespace plait::sdk {

// Row i holds the (i + 1)-th smallest value of each of some neighbouring elements.
struct SortedRows {
  const float* first;
  size_t stride, rows;
  const float* operator[](size_t i) const { return first + i * stride; }
};

namespace inside {

inline constexpr size_t kSortedBlock = 128;    // elements sorted side by side
inline constexpr size_t kSideBySideMost = 64;  // shards up to which that is faster than element by element

// Puts the smaller numbers of two rows into the first.
PLAIT_FAST inline void order_rows(float* low, float* high, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float a = low[i], b = high[i];
    low[i] = a < b ? a : b;
    high[i] = a < b ? b : a;
  }
}

// Odd-even transposition: as many passes as rows.
inline void sort_side_by_side(float* rows, size_t shards, size_t count) {
  for (size_t pass = 0; pass < shards; ++pass) {
    for (size_t i = pass % 2; i + 1 < shards; i += 2)
      order_rows(rows + i * kSortedBlock, rows + (i + 1) * kSortedBlock, count);
  }
}

// Sorts those values of an element that are finite; a shard that failed has others. Their number.
// Fails with: kNumeric where they are no more than half.
inline size_t sort_finite(std::span<const float* const> deltas, size_t at, float* column) {
  size_t found = 0, astray = 0;
  for (size_t k = 0; k < deltas.size(); ++k) {
    const float value = deltas[k][at];
    if (std::isfinite(value))
      column[found++] = value;
    else
      astray = k;
  }
  if (2 * found <= deltas.size())
    throw NumericError(deltas.size() - found, " of ", deltas.size(), " shards, shard ", astray,
                       " among them, have a value that is not finite: the others are no majority");
  std::sort(column, column + found);
  return found;
}

inline bool all_finite(const float* values, size_t count) {
  bool finite = true;
  for (size_t i = 0; i < count; ++i) finite &= std::isfinite(values[i]);
  return finite;
}

}  // namespace inside

// Calls take(from, count, sorted) for stretches of all elements, on the lanes of `c`: `sorted` has the values
// of elements from .. from + count, without those that are not finite. Fails with: kNumeric where these are
// half of an element's values or more, naming a shard.
template <class Take>
void for_sorted_shards(Context& c, std::span<const float* const> deltas, size_t elements, Take take) {
  using inside::kSortedBlock;
  const size_t shards = deltas.size();
  c.parallel_for(elements, 64 * kSortedBlock, [&](uint64_t begin, uint64_t end) {
    const bool side_by_side = shards <= inside::kSideBySideMost;
    std::vector<float> rows(shards * (side_by_side ? kSortedBlock : 1));
    for (uint64_t from = begin; from < end; from += kSortedBlock) {
      const size_t count = std::min<uint64_t>(kSortedBlock, end - from);
      const bool finite = std::all_of(deltas.begin(), deltas.end(), [&](const float* delta) {
        return inside::all_finite(delta + from, count);
      });
      if (side_by_side && finite) {
        for (size_t k = 0; k < shards; ++k)
          std::copy_n(deltas[k] + from, count, rows.data() + k * kSortedBlock);
        inside::sort_side_by_side(rows.data(), shards, count);
        take(from, count, SortedRows{rows.data(), kSortedBlock, shards});
        continue;
      }
      for (size_t i = from; i < from + count; ++i) {
        const size_t found = inside::sort_finite(deltas, i, rows.data());
        take(i, size_t{1}, SortedRows{rows.data(), 1, found});
      }
    }
  });
}

}  // namespace plait::sdk
