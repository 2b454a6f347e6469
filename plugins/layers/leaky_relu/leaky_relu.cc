// x above zero, slope x below, elementwise. A layer before it that can, absorbs it.
#include <plait/activation.hpp>

namespace {

using namespace plait::sdk;

struct LeakyRelu : ActivationLayer<LeakyRelu> {
  double slope = 0.01;

  static void describe(Describe<LeakyRelu>& d) {
    d.doc("x above zero, slope x below");
    d.details(
        "y = x where x > 0, else slope x.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Maas, Hannun, Ng 2013, section 2.");
    d.field("slope", &LeakyRelu::slope).doc("slope below zero").range(0, 1);
  }

  Activation activation() const { return {Activation::Kind::kRelu, static_cast<float>(slope), 0}; }
};

}  // namespace

PLAIT_PLUGIN("plait.leaky_relu", "1.0.0", "Apache-2.0", takes_bf16(layer<LeakyRelu>("plait.leaky_relu")));
