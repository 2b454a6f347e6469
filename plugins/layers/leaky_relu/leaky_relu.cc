// x above zero, slope x below, elementwise. A layer before it that can, absorbs it.
#include <plait/activation.hpp>
#include <plait/onednn_elementwise.hpp>

namespace {

using namespace plait::sdk;

struct LeakyRelu : OneDnnElementwise<LeakyRelu, ActivationLoops<LeakyRelu>> {
  double slope = 0.01;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<LeakyRelu>& d) {
    d.doc("x above zero, slope x below");
    d.details(
        "y = x where x > 0, else slope x.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Maas, Hannun, Ng 2013, section 2.");
    d.field("slope", &LeakyRelu::slope).doc("slope below zero").range(0, 1);
    describe_implementation(d, &LeakyRelu::implementation);
  }
  OneDnnFunction onednn() const {
    if (slope == 0)
      throw Error(ErrorCode::kUnsupported,
                  "oneDNN's relu of slope 0 makes 0 of NaN: wanted implementation own, or a slope");
    return {dnnl::algorithm::eltwise_relu, slope, 0, dnnl::algorithm::eltwise_relu_use_dst_for_bwd};
  }

  Activation activation() const { return {Activation::Kind::kRelu, static_cast<float>(slope), 0}; }
};

}  // namespace

PLAIT_PLUGIN("plait.leaky_relu", "1.0.0", "Apache-2.0", takes_bf16(layer<LeakyRelu>("plait.leaky_relu")),
             numerics(&onednn_facts));
