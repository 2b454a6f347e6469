// Counts its steps in the instance instead of asking for the number.
// Caught by: state
// Words: state is kept besides the slots
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  mutable int steps = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    ++steps;
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= call.gradients[i] / static_cast<float>(steps);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_steps", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.counts_steps_optimizer"));
