// Writes a field that the layer does not have.
// Caught by: bounded
// Words: has no field "unit"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network& network, int stage, StageBuilder& stages) const {
    if (stage > 0 || network.size() == 0) return;
    stages.begin("greedy");
    stages.layer("back", {"image"}, Block("plait.dense").set("unit", 12));
    stages.loss("back", "image", Block("plait.mean_squared"));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_field_of_a_layer", "1.0.0", "Apache-2.0",
             pretrainer<Broken>("broken.wrong_field_of_a_layer_pretrainer"));
