// Builds a stage that has nothing to make small.
// Caught by: builds
// Words: has no loss
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network& network, int stage, StageBuilder& stages) const {
    if (stage > 0 || network.size() == 0) return;
    stages.begin("aimless");
    stages.copy(network[0]);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.no_loss", "1.0.0", "Apache-2.0", pretrainer<Broken>("broken.no_loss_pretrainer"));
