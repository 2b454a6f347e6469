// Right: computes in bf16 too.
// Caught by: nothing
// Words: passed .*bf16_steps: [0-9]+ cases.* 0 failed
#include <plait/bf16.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (!is_f32_or_bf16(s.input().dtype())) s.fail("input is ", s.input());
    s.output_like(0);
  }
  static float get(Tensor x, size_t i) {
    return x.dtype() == DType::f32 ? x.f32()[i] : f32_of_bf16(x.data<uint16_t>()[i]);
  }
  static void put(Tensor y, size_t i, float value) {
    if (y.dtype() == DType::f32)
      y.f32()[i] = value;
    else
      y.data<uint16_t>()[i] = bf16_of_f32(value);
  }
  void forward(Context&, const LayerCall& call) const {
    for (size_t i = 0; i < call.output().size(); ++i) put(call.output(), i, 3 * get(call.input(), i));
  }
  void backward(Context&, const LayerCall& call) const {
    const Tensor dx = call.input_gradient();
    if (!dx) return;
    for (size_t i = 0; i < dx.size(); ++i) put(dx, i, 3 * get(call.output_gradient(), i));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_bf16", "1.0.0", "Apache-2.0",
             takes_bf16(layer<Broken>("broken.right_bf16_layer")));
