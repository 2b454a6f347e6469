// Shards with a smaller loss count more: the host asks for weights before any loss is known.
// Caught by: weight
// Words: depends on the loss: it is 1001 with loss 0, 667 with loss 0.5
#include <plait/sdk.hpp>

#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  int weight(const ShardResult& r) const { return static_cast<int>(1 + 1000 / (1 + std::abs(r.loss))); }
};

}  // namespace

PLAIT_PLUGIN("broken.weighs_by_loss", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.weighs_by_loss_reducer"));
