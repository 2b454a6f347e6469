// Divides by a gradient that may be 0.
// Caught by: finite
// Words: weights become NaN
#include <cmath>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i)
      call.weights[i] -= 0.1f * call.gradients[i] / std::abs(call.gradients[i]);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.divides_by_zero", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.divides_by_zero_optimizer"));
