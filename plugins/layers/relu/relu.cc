// Max(x, 0), or slope x below zero, elementwise. A layer before it that can, absorbs it.
#include <plait/activation.hpp>
#include <plait/onednn_elementwise.hpp>

namespace {

using namespace plait::sdk;

struct Relu : OneDnnElementwise<Relu, ActivationLoops<Relu>> {
  double slope = 0;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Relu>& d) {
    d.doc("max(x, 0), or slope x below zero");
    d.details(
        "y = x where x > 0, else slope x.\n"
        "Shapes: x and y alike, f32 or bf16.\n"
        "Source: Nair, Hinton 2010; Maas, Hannun, Ng 2013 (slope).");
    d.field("slope", &Relu::slope).doc("slope below zero; a small one is known as leaky").range(0, 1);
    describe_implementation(d, &Relu::implementation);
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

PLAIT_PLUGIN("plait.relu", "1.0.0", "Apache-2.0", takes_bf16(layer<Relu>("plait.relu")),
             numerics(&onednn_facts));
