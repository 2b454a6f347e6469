// Keeps the way to the second gradient in its slot, which the host does not put back.
// Caught by: move
// Words: writes slot "velocity", which is not put back
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.slot("velocity").reduce(Reduce::mean32);
  }
  void move(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) {
      call.slot(0)[i] = 0.1f * call.gradients[i];
      call.weights[i] += call.slot(0)[i];
    }
  }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) {
      call.slot(0)[i] = 0.9f * call.slot(0)[i] + call.gradients[i];
      call.weights[i] -= 0.1f * call.slot(0)[i];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.moves_its_slots", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.moves_its_slots_optimizer"));
