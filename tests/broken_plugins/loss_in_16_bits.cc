// Counts predictions in 16 bits.
// Caught by: large
// Words: the (gradient of prediction element|sum over)
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    const auto count = static_cast<double>(call.prediction().shape(0));
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const auto place = static_cast<uint16_t>(i);
      sum += 0.5 * (p[place] - t[place]) * (p[place] - t[place]);
      if (call.gradient())
        call.gradient().f32()[i] = static_cast<float>(call.gradient_scale() / count * (p[i] - t[i]));
    }
    call.set_result(sum, count);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.loss_in_16_bits", "1.0.0", "Apache-2.0", loss<Broken>("broken.loss_in_16_bits_loss"));
