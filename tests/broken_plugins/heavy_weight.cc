// Weighs by samples, without a bound, and no two shards have a divisor in common.
// Caught by: weight
// Words: weight 640000 for 640 samples; divided by 1, .* wanted 1 .. 65536
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  int weight(const ShardResult& r) const { return static_cast<int>(r.samples * 1000 + r.shard); }
};

}  // namespace

PLAIT_PLUGIN("broken.heavy_weight", "1.0.0", "Apache-2.0", reducer<Broken>("broken.heavy_weight_reducer"));
