// Once a gradient was NaN, it makes no step any more.
// Caught by: any_bits
// Words: weights differs in the step after one on
#include <atomic>
#include <cmath>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  mutable std::atomic<bool> lost{false};

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Broken() = default;
  Broken(const Broken& other) : lost(other.lost.load()) {}
  void step(Context&, const OptimizerCall& call) const {
    for (const float g : call.gradients) {
      if (std::isnan(g)) lost = true;
    }
    for (size_t i = 0; i < call.count && !lost; ++i) call.weights[i] -= 0.1f * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.remembers_nan", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.remembers_nan_optimizer"));
