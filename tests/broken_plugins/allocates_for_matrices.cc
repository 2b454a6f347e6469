// Makes room for the row sums of a matrix in every step.
// Caught by: plain
// Words: allocates 3 blocks in 3 steps
#include <vector>

#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool plain = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    if (call.shape.size() < 2) {
      for (size_t i = 0; i < call.count; ++i) call.weights[i] -= 0.1f * call.gradients[i];
      return;
    }
    std::vector<float> sums(static_cast<size_t>(call.shape[0]));
    const size_t wide = call.count / sums.size();
    for (size_t i = 0; i < call.count; ++i) sums[i / wide] += call.gradients[i];
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= 0.1f * sums[i / wide];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.allocates_for_matrices", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.allocates_for_matrices_optimizer"));
