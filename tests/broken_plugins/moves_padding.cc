// Moves every weight by a fixed step along the sign of its gradient, up where that is 0.
// Caught by: move
// Words: padding would not stay zero
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void move(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) call.weights[i] += call.gradients[i] < 0 ? -0.01f : 0.01f;
  }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= 0.1f * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.moves_padding", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.moves_padding_optimizer"));
