// Takes every layer of a network to read another.
// Caught by: strange_network
// Words: crashes .*neither inputs nor parameters
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network& network, int stage, StageBuilder& stages) const {
    if (stage < 0 || static_cast<size_t>(stage) >= network.size()) return;
    const NetworkLayer layer = network[static_cast<size_t>(stage)];
    stages.begin("a share of the epochs");
    stages.copy(layer);
    if (layer.has_mirror()) stages.layer("back", {std::string(layer.name())}, layer.mirror());
    stages.loss(layer.has_mirror() ? "back" : "x", "image", Block("plait.mean_squared"));
    stages.epochs(static_cast<double>(6 / layer.inputs()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wants_an_input", "1.0.0", "Apache-2.0",
             pretrainer<Broken>("broken.wants_an_input_pretrainer"));
