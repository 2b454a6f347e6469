// Wants whole parameters, and takes each for a matrix: one of rank 0 has no rows.
// Caught by: plain
// Words: a parameter of \[\]: .*step
#include <cmath>

#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool plain = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    if (call.shape.empty()) throw Error("a parameter has no rows");
    const auto rows = static_cast<size_t>(call.shape[0]);
    const size_t wide = call.count / rows;
    for (size_t r = 0; r < rows; ++r) {
      float length = 1;
      for (size_t i = r * wide; i < (r + 1) * wide; ++i) length += call.gradients[i] * call.gradients[i];
      for (size_t i = r * wide; i < (r + 1) * wide; ++i)
        call.weights[i] -= 0.1f * call.gradients[i] / std::sqrt(length);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.takes_only_matrices", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.takes_only_matrices_optimizer"));
