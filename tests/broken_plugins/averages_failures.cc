// Takes the mean of all shards, those that failed among them.
// Caught by: whole_failed
// Words: with shard 1 failed, element 0 of a.weight is inf
#include <plait/sdk.hpp>

#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine_whole(Context&, const WholeReduction& call) const {
    call.average_all(std::vector<double>(call.shards, 1));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.averages_failures", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.averages_failures_reducer"));
