// Hyperbolic tangent, elementwise. A layer before it that can, absorbs it.
#include <plait/activation.hpp>

namespace {

using namespace plait::sdk;

struct Tanh : ActivationLayer<Tanh> {
  static void describe(Describe<Tanh>& d) {
    d.doc("hyperbolic tangent");
    d.details("y = tanh(x). Shapes: x and y alike, f32.");
  }

  Activation activation() const { return {Activation::Kind::kTanh, 0, 0}; }
};

}  // namespace

PLAIT_PLUGIN("plait.tanh", "1.0.0", "Apache-2.0", layer<Tanh>("plait.tanh"));
