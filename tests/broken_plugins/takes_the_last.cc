// Takes the last shard for the mean of all.
// Caught by: within
// Words: with the shards in the other order
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    for (size_t k = 0; k < combined.size(); ++k) combined[k] = deltas.back()[k];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.takes_the_last", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.takes_the_last_reducer"));
