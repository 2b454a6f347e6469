// Tells its parameters in another order than infer gives them.
// Caught by: ports
// Words: infer gives the parameter "bias" where its order has none \(bias, weight\)
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void ports(Ports& p) {
    p.input("x", "[N, C]");
    p.parameter("bias", "[C]");
    p.parameter("weight", "[C]");
  }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 || s.input().rank() != 2) s.fail("wanted f32[N, C]");
    s.output_like(0);
    s.weight("weight", {s.input().shape(1)}).init("ones");
    s.bias("bias", s.input().shape(1));
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    const Out y = call.output().f32();
    const size_t channels = static_cast<size_t>(call.input().shape(1));
    for (size_t i = 0; i < x.size(); ++i)
      y[i] = call.parameter(0)[i % channels] * x[i] + call.parameter(1)[i % channels];
  }
  void backward(Context&, const LayerCall& call) const {
    const In x = call.input().f32(), dy = call.output_gradient().f32();
    const size_t channels = static_cast<size_t>(call.input().shape(1));
    float *const dw = call.parameter_gradient(0), *const db = call.parameter_gradient(1);
    for (size_t k = 0; k < channels; ++k) {
      if (dw) dw[k] = 0;
      if (db) db[k] = 0;
    }
    for (size_t i = 0; i < x.size(); ++i) {
      if (call.input_gradient()) call.input_gradient().f32()[i] = call.parameter(0)[i % channels] * dy[i];
      if (dw) dw[i % channels] += x[i] * dy[i];
      if (db) db[i % channels] += dy[i];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.tells_bias_first", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.tells_bias_first_layer"));
