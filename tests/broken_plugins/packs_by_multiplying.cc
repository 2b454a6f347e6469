// Packs its weights by multiplying them, which changes the tiniest.
// Caught by: packing_bits
// Words: unpack.pack.x.. changes the bits
#include <algorithm>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

volatile float one = 1;  // unknown to the compiler

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.weight("scale", {64}).init("ones");
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = call.parameter(0)[0] * x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    const In dy = call.output_gradient().f32();
    float sum = 0;
    for (size_t i = 0; i < dy.size(); ++i) sum += call.input().f32()[i] * dy[i];
    if (call.parameter_gradient(0))
      std::fill_n(call.parameter_gradient(0), 64, 0.0f), call.parameter_gradient(0)[0] = sum;
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = call.parameter(0)[0] * dy[i];
  }
  void pack(Context&, uint32_t, const float* plain, float* stored) const {
    for (int i = 0; i < 64; ++i) stored[i] = one * plain[i];
  }
  void unpack(Context&, uint32_t, const float* stored, float* plain) const {
    for (int i = 0; i < 64; ++i) plain[i] = stored[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.packs_by_multiplying", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.packs_by_multiplying_layer"));
