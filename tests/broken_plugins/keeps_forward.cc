// Backward reads what forward left in the instance.
// Caught by: interleaved
// Words: another step lies between forward and backward
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable float first = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    first = x[0];
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[0] * x[i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    const In x = call.input().f32();
    const Out dx = call.input_gradient().f32();
    float sum = 0;
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = first * dy[i], sum += x[i] * dy[i];
    dx[0] += sum;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.keeps_forward", "1.0.0", "Apache-2.0", layer<Broken>("broken.keeps_forward_layer"));
