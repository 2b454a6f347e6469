// Builds a stage whose decoder gives back less than there was.
// Caught by: builds
// Words: stage "greedy"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network& network, int stage, StageBuilder& stages) const {
    if (stage > 0 || network.size() == 0) return;
    stages.begin("greedy");
    stages.layer("back", {"image"}, Block("plait.dense").set("units", 1));
    stages.loss("back", "image", Block("plait.mean_squared"));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.layers_that_do_not_fit", "1.0.0", "Apache-2.0",
             pretrainer<Broken>("broken.layers_that_do_not_fit_pretrainer"));
