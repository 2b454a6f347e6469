// A distance of two predictions, whose gradient it writes with the same sign to both.
// Caught by: gradient
// Words: the gradient of prediction 1 element
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Count predictions = 2, targets = 0;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check(const LossShapes& s) const {
    if (s.prediction(0).size() != s.prediction(1).size()) s.fail("two sizes");
  }
  void compute(Context&, const LossCall& call) const {
    const In a = call.prediction(0).f32(), b = call.prediction(1).f32();
    const auto scale = static_cast<float>(call.gradient_scale() / static_cast<double>(a.size()));
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const float d = a[i] - b[i];
      sum += 0.5 * d * d;
      for (size_t p = 0; p < 2; ++p)
        if (call.gradient(p)) call.gradient(p).f32()[i] = scale * d;
    }
    call.set_result(sum, static_cast<double>(a.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.second_gradient_alike", "1.0.0", "Apache-2.0",
             loss<Broken>("broken.second_gradient_alike_loss"));
