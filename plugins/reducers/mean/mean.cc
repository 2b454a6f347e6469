// The plain mean of the shards' deltas.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Mean {
  static void describe(Describe<Mean>& d) {
    d.doc("mean of the shards, each counting the same");
    d.details("Linear: a part of the exact sum. Source: McDonald, Hall, Mann 2010.");
    d.default_of_kind();
  }
  int weight(const ShardResult&) const { return 1; }
};

}  // namespace

PLAIT_PLUGIN("plait.mean", "1.0.0", "Apache-2.0", reducer<Mean>("plait.mean"));
