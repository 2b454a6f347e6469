// Huber's loss, whose gradient goes on growing where the loss is a straight line.
// Caught by: gradient
// Words: numbers up to .*the gradient of prediction element
#include <plait/sdk.hpp>

#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    const auto count = static_cast<double>(p.size());
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const float d = p[i] - t[i], size = std::abs(d);
      sum += size < 2 ? d * d / 2 : 2 * size - 2;
      if (call.gradient()) call.gradient().f32()[i] = static_cast<float>(call.gradient_scale() / count) * d;
    }
    call.set_result(sum, count);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.gradient_beyond_2", "1.0.0", "Apache-2.0",
             loss<Broken>("broken.gradient_beyond_2_loss"));
