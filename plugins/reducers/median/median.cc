// The median of the shards' deltas, element by element: a shard gone astray does not move it far.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace plait::sdk;

namespace {

constexpr size_t kBlock = 128;          // elements sorted side by side
constexpr size_t kGrain = 64 * kBlock;  // elements in a piece of work
constexpr size_t kNetworkMost =
    64;  // shards up to which sorting whole blocks is faster than element by element

// Puts the smaller numbers of two rows into the first.
PLAIT_FAST void order_rows(float* low, float* high, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float a = low[i], b = high[i];
    low[i] = a < b ? a : b;
    high[i] = a < b ? b : a;
  }
}

// Sorts `shards` rows of kBlock elements, column by column. Odd-even transposition: as many passes as rows.
void sort_columns(float* rows, size_t shards, size_t count) {
  for (size_t pass = 0; pass < shards; ++pass) {
    for (size_t i = pass % 2; i + 1 < shards; i += 2)
      order_rows(rows + i * kBlock, rows + (i + 1) * kBlock, count);
  }
}

float middle_of(float* values, size_t shards) {
  float* const middle = values + shards / 2;
  std::nth_element(values, middle, values + shards);
  if (shards % 2 == 1) return *middle;
  return 0.5f * (*std::max_element(values, middle) + *middle);
}

bool all_finite(const float* values, size_t count) {
  bool finite = true;
  for (size_t i = 0; i < count; ++i) finite &= std::isfinite(values[i]);
  return finite;
}

// Of the values that are finite: a shard that failed has others. They must be more than half.
float middle_of_finite(std::span<const float* const> deltas, size_t at, float* column) {
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
  return middle_of(column, found);
}

struct Median {
  static void describe(Describe<Median>& d) {
    d.doc("median of the shards, element by element");
    d.details(
        "Gathering: sees the deltas of all shards. With an even number of shards, the mean of the two in the "
        "middle.\n"
        "A value that is not finite is left out; those of more than half of the shards must be.\n"
        "Source: Yin, Chen, Ramchandran, Bartlett 2018.");
  }

  void combine(Context& c, std::span<const float* const> deltas, Out combined) const {
    const size_t shards = deltas.size();
    if (shards == 0) throw Error("the median of no shards does not exist");
    c.parallel_for(combined.size(), kGrain, [&](uint64_t begin, uint64_t end) {
      std::vector<float> rows(shards * (shards <= kNetworkMost ? kBlock : 1));
      for (uint64_t from = begin; from < end; from += kBlock) {
        const size_t count = std::min<uint64_t>(kBlock, end - from);
        const bool finite = std::all_of(deltas.begin(), deltas.end(),
                                        [&](const float* delta) { return all_finite(delta + from, count); });
        if (!finite) {
          for (size_t i = from; i < from + count; ++i) combined[i] = middle_of_finite(deltas, i, rows.data());
        } else if (shards <= kNetworkMost) {
          by_blocks(deltas, from, count, rows.data(), combined.data() + from);
        } else {
          one_by_one(deltas, from, count, rows.data(), combined.data() + from);
        }
      }
    });
  }

 private:
  static void by_blocks(std::span<const float* const> deltas, size_t from, size_t count, float* rows,
                        float* to) {
    const size_t shards = deltas.size();
    for (size_t k = 0; k < shards; ++k) std::copy_n(deltas[k] + from, count, rows + k * kBlock);
    sort_columns(rows, shards, count);
    const float* high = rows + shards / 2 * kBlock;
    const float* low = shards % 2 == 1 ? high : high - kBlock;
    for (size_t i = 0; i < count; ++i) to[i] = low == high ? high[i] : 0.5f * (low[i] + high[i]);
  }
  static void one_by_one(std::span<const float* const> deltas, size_t from, size_t count, float* column,
                         float* to) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t k = 0; k < deltas.size(); ++k) column[k] = deltas[k][from + i];
      to[i] = middle_of(column, deltas.size());
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.median", "1.0.0", "Apache-2.0", reducer<Median>("plait.median"));
