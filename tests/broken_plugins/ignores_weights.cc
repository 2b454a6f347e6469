// Says that it takes a weight for each sample, and does not look at it.
// Caught by: weights_scale
// Words: with all weights doubled: the sum is
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool weighted = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    const auto scale = static_cast<float>(call.gradient_scale() / static_cast<double>(p.size()));
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const float d = p[i] - t[i];
      sum += 0.5 * d * d;
      if (call.gradient()) call.gradient().f32()[i] = scale * d;
    }
    call.set_result(sum, static_cast<double>(p.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.ignores_weights", "1.0.0", "Apache-2.0", loss<Broken>("broken.ignores_weights_loss"));
