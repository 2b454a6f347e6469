// The median of the shards' deltas, element by element: a shard gone astray does not move it far.
#include <plait/sdk.hpp>
#include <plait/sdk/sorted_shards.hpp>

using namespace plait::sdk;

namespace {

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
    if (deltas.empty()) throw Error("the median of no shards does not exist");
    for_sorted_shards(c, deltas, combined.size(), [&](size_t from, size_t count, const SortedRows& sorted) {
      const float* const low = sorted[(sorted.rows - 1) / 2];
      const float* const high = sorted[sorted.rows / 2];
      float* const to = combined.data() + from;
      for (size_t i = 0; i < count; ++i) to[i] = low == high ? high[i] : 0.5f * (low[i] + high[i]);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.median", "1.0.0", "Apache-2.0", reducer<Median>("plait.median"));
