// The mean of the shards' deltas, each counting by the samples it was trained on.
#include <plait/sdk.hpp>

#include <algorithm>
#include <limits>

using namespace plait::sdk;

namespace {

constexpr int64_t kLargestWeight = std::numeric_limits<int32_t>::max();

struct WeightedMean {
  int64_t unit = 1;

  static void describe(Describe<WeightedMean>& d) {
    d.doc("mean of the shards, weighted by the samples of the round");
    d.details(
        "weight = samples / unit, rounded, at least 1; linear: a part of the exact sum, where the weights of "
        "all shards are divided by their common divisor and are then at most 65536.\n"
        "Source: McMahan and others 2017, algorithm 1.");
    d.field("unit", &WeightedMean::unit).doc("samples that count as one").unit("samples").range(1, 1e12);
  }
  int64_t weight(const ShardResult& r) const {
    // Halves are rounded up, without a sum that could pass the largest number.
    const bool up = r.samples % unit >= unit - unit / 2;
    const int64_t rounded = std::max<int64_t>(1, r.samples / unit + (up ? 1 : 0));
    if (rounded > kLargestWeight) {
      throw Error("shard ", r.shard, " has ", r.samples, " samples in a round, weight ", rounded,
                  " of at most ", kLargestWeight, ": set unit to ",
                  r.samples / kLargestWeight + (r.samples % kLargestWeight != 0), " or more");
    }
    return rounded;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.weighted_mean", "1.0.0", "Apache-2.0", reducer<WeightedMean>("plait.weighted_mean"));
