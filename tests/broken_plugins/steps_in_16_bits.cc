// Steps the first 65535 weights of a tensor only.
// Caught by: large
// Words: weight 65535 of .* when the tensor is cut into pieces
#include <plait/sdk.hpp>

#include <algorithm>

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
    const auto count = static_cast<uint16_t>(std::min<size_t>(call.count, 65535));
    for (uint16_t i = 0; i < count; ++i) call.weights[i] -= static_cast<float>(rate) * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.steps_in_16_bits", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.steps_in_16_bits_optimizer"));
