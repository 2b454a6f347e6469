// Says elementwise, but divides by the length of the gradient.
// Caught by: elementwise
// Words: differ when the tensor is cut in two
#include <cmath>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    float sum = 1e-6f;
    for (const float g : call.gradients) sum += g * g;
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= 0.1f * call.gradients[i] / std::sqrt(sum);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.false_elementwise", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.false_elementwise_optimizer"));
