// Logistic function 1 / (1 + e^-x), elementwise. A layer before it that can, absorbs it.
#include <plait/activation.hpp>

namespace {

using namespace plait::sdk;

struct Sigmoid : ActivationLayer<Sigmoid> {
  static void describe(Describe<Sigmoid>& d) {
    d.doc("logistic function 1 / (1 + e^-x)");
    d.details("y = 1 / (1 + e^-x). Shapes: x and y alike, f32.");
  }

  Activation activation() const { return {Activation::Kind::kSigmoid, 0, 0}; }
};

}  // namespace

PLAIT_PLUGIN("plait.sigmoid", "1.0.0", "Apache-2.0", layer<Sigmoid>("plait.sigmoid"));
