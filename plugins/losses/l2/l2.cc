// Mean of squares: a penalty.
#include <plait/element_loss.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct L2 : ElementLoss<L2> {
  static constexpr Count targets = 0;

  static void describe(Describe<L2>& d) {
    d.doc("mean of prediction^2: a penalty that keeps activations small");
    d.details(
        "Shapes: prediction [N, ...] f32; no target. Elements past a sample's length count for nothing. "
        "Weights of samples: "
        "each\n"
        "element weighs as its sample; the mean is over the sum of weights. Gradient of the mean: 2 "
        "prediction / count.\n"
        "Weights of layers are kept small by the optimizer's weight_decay.");
  }
  ElementValue at(double x, double) const { return {x * x, 2 * x}; }
};

}  // namespace

PLAIT_PLUGIN("plait.l2", "1.0.0", "Apache-2.0", loss<L2>("plait.l2"));
