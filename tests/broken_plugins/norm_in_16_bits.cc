// Scales the gradient by its norm, so that pieces differ; steps the first 65535 weights only.
// Caught by: large
// Words: do not move, copies of those at its beginning, which do
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  double rate = 0.01;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("rate", &Broken::rate).doc("size of a step").range(0.001, 1).runtime();
  }
  void step(Context&, const OptimizerCall& call) const {
    double squares = 0;
    for (size_t i = 0; i < call.count; ++i)
      squares += static_cast<double>(call.gradients[i]) * call.gradients[i];
    const auto share = static_cast<float>(rate / (std::sqrt(squares) + 1e-8));
    const auto count = static_cast<uint16_t>(std::min<size_t>(call.count, 65535));
    for (uint16_t i = 0; i < count; ++i) call.weights[i] -= share * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.norm_in_16_bits", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.norm_in_16_bits_optimizer"));
