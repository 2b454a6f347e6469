// The mean of the shards' deltas without the outermost values of each element.
#include <plait/sdk.hpp>
#include <plait/sdk/sorted_shards.hpp>

#include <algorithm>
#include <array>

using namespace plait::sdk;

namespace {

constexpr size_t kBlock = 128;  // sums that are kept at once

struct TrimmedMean {
  double trim = 0.2;

  static void describe(Describe<TrimmedMean>& d) {
    d.doc("mean of the shards without the largest and smallest values, element by element");
    d.details(
        "Of the K values of an element, floor(trim K) at either end are left out, and the others averaged; "
        "summed in f64 from the smallest on, rounded once.\n"
        "Gathering: sees the deltas of all shards. A value that is not finite is left out beforehand; those "
        "of "
        "more than half of the shards must be.\n"
        "Source: Yin, Chen, Ramchandran, Bartlett 2018, definition 2.");
    d.field("trim", &TrimmedMean::trim)
        .doc("share of the values that is left out at either end")
        .range(0, 0.4999);
  }

  void combine(Context& c, std::span<const float* const> deltas, Out combined) const {
    if (deltas.empty()) throw Error("the mean of no shards does not exist");
    for_sorted_shards(c, deltas, combined.size(), [&](size_t from, size_t count, const SortedRows& sorted) {
      for (size_t i = 0; i < count; i += kBlock)
        average(sorted, i, std::min(kBlock, count - i), combined.data() + from + i);
    });
  }

 private:
  void average(const SortedRows& sorted, size_t at, size_t count, float* to) const {
    const auto left_out = static_cast<size_t>(trim * static_cast<double>(sorted.rows));
    const size_t taken = sorted.rows - 2 * left_out;
    std::array<double, kBlock> sums{};
    for (size_t k = left_out; k < left_out + taken; ++k) {
      for (size_t i = 0; i < count; ++i) sums[i] += static_cast<double>(sorted[k][at + i]);
    }
    for (size_t i = 0; i < count; ++i) to[i] = static_cast<float>(sums[i] / static_cast<double>(taken));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.trimmed_mean", "1.0.0", "Apache-2.0", reducer<TrimmedMean>("plait.trimmed_mean"));
