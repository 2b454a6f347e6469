// Gives the gradient of the sum, not of the mean.
// Caught by: gradient
// Words: but differences of the mean give
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    const auto scale = static_cast<float>(call.gradient_scale() / static_cast<double>(p.size()));
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const float d = p[i] - t[i];
      sum += 0.5 * d * d;
      if (call.gradient()) call.gradient().f32()[i] = scale * static_cast<float>(p.size()) * d;
    }
    call.set_result(sum, static_cast<double>(p.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.gradient_of_sum", "1.0.0", "Apache-2.0", loss<Broken>("broken.gradient_of_sum_loss"));
