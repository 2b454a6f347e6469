// Goes up instead of down.
// Caught by: descends
// Words: on w.2 / 2, 100 steps from 1 end at
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) call.weights[i] += 0.1f * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.ascends", "1.0.0", "Apache-2.0", optimizer<Broken>("broken.ascends_optimizer"));
