// The gradient of the scale forgets the last element.
// Caught by: parameter_gradient
// Words: the gradient of parameter "scale"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.weight("scale", {1}).init("ones");
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = call.parameter(0)[0] * x[i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    const In x = call.input().f32();
    float sum = 0;
    for (size_t i = 0; i + 1 < x.size(); ++i) sum += x[i] * dy[i];
    if (call.parameter_gradient(0)) call.parameter_gradient(0)[0] = sum;
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = call.parameter(0)[0] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_weight_gradient", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.wrong_weight_gradient_layer"));
