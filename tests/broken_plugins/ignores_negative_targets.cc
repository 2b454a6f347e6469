// A squared error whose gradient takes negative targets for 0.
// Caught by: gradient
// Words: numbers up to .*the gradient of prediction element
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    const auto count = static_cast<double>(p.size());
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const float d = p[i] - t[i];
      sum += d * d;
      if (call.gradient())
        call.gradient().f32()[i] =
            static_cast<float>(2 * call.gradient_scale() / count) * (p[i] - std::max(t[i], 0.0f));
    }
    call.set_result(sum, count);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.ignores_negative_targets", "1.0.0", "Apache-2.0",
             loss<Broken>("broken.ignores_negative_targets_loss"));
