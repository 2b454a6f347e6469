// Keeps its momentum in the instance.
// Caught by: same_again
// Words: keeps a state besides its slots
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  mutable float velocity = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    velocity = 0.9f * velocity + call.gradients[0];
    for (size_t i = 0; i < call.count; ++i)
      call.weights[i] -= 0.1f * call.gradients[i] * (1 + 0.01f * velocity);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.hidden_momentum", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.hidden_momentum_optimizer"));
