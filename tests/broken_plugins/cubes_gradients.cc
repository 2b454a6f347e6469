// Computes a gradient's sign from cubes, which are no numbers of f32 from 1e13 on.
// Caught by: finite
// Words: become NaN with gradients of size 1e.13
#include <plait/sdk.hpp>

#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  double rate = 0.01;
  static constexpr bool elementwise = true;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("rate", &Broken::rate).doc("size of a step").range(0, 1).runtime();
  }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) {
      const float g = call.gradients[i], cube = g * g * g;
      call.weights[i] -= static_cast<float>(rate) * cube / (std::abs(cube) + 1e-8f);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.cubes_gradients", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.cubes_gradients_optimizer"));
