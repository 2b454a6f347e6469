// Weighs the sum and the gradient, and divides by the number of samples.
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
    const size_t samples = static_cast<size_t>(call.prediction().shape(0)), each = p.size() / samples;
    const double scale = call.gradient_scale() / static_cast<double>(p.size());
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const double d = double{p[i]} - t[i], weight = call.weight(i / each);
      sum += 0.5 * weight * d * d;
      if (call.gradient()) call.gradient().f32()[i] = static_cast<float>(scale * weight * d);
    }
    call.set_result(sum, static_cast<double>(p.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_the_weightless", "1.0.0", "Apache-2.0",
             loss<Broken>("broken.counts_the_weightless_loss"));
