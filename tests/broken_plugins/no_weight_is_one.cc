// Takes a weight of 0 for one that is not known, and 1 in its place.
// Caught by: weightless_sample
// Words: of weight 0
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool weighted = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static double weight(const LossCall& call, size_t n) { return call.weight(n) > 0 ? call.weight(n) : 1; }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    const size_t samples = static_cast<size_t>(call.prediction().shape(0)), each = p.size() / samples;
    double sum = 0, count = 0;
    for (size_t i = 0; i < p.size(); ++i) count += weight(call, i / each);
    for (size_t i = 0; i < p.size(); ++i) {
      const double d = double{p[i]} - t[i], w = weight(call, i / each);
      sum += 0.5 * w * d * d;
      if (call.gradient())
        call.gradient().f32()[i] = static_cast<float>(call.gradient_scale() * w * d / count);
    }
    call.set_result(sum, count);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.no_weight_is_one", "1.0.0", "Apache-2.0", loss<Broken>("broken.no_weight_is_one_loss"));
