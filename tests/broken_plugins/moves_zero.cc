// Moves weights that have no gradient.
// Caught by: keeps_zero
// Words: padding would not stay zero
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= 0.1f * call.gradients[i] + 1e-3f;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.moves_zero", "1.0.0", "Apache-2.0", optimizer<Broken>("broken.moves_zero_optimizer"));
