// Takes bf16, and passes the 16 bits of a gradient on as if they were a whole number.
// Caught by: bf16_steps
// Words: gradient of input 0, element
#include <plait/bf16.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (!is_f32_or_bf16(s.input().dtype())) s.fail("input is ", s.input());
    s.output_like(0);
  }
  void forward(Context&, const LayerCall& call) const {
    for (size_t i = 0; i < call.output().size(); ++i) {
      if (call.output().dtype() == DType::f32)
        call.output().f32()[i] = 3 * call.input().f32()[i];
      else
        call.output().data<uint16_t>()[i] = bf16_of_f32(3 * f32_of_bf16(call.input().data<uint16_t>()[i]));
    }
  }
  void backward(Context&, const LayerCall& call) const {
    const Tensor dx = call.input_gradient(), dy = call.output_gradient();
    if (!dx) return;
    for (size_t i = 0; i < dx.size(); ++i) {
      if (dx.dtype() == DType::f32)
        dx.f32()[i] = 3 * dy.f32()[i];
      else
        dx.data<uint16_t>()[i] = bf16_of_f32(3 * static_cast<float>(dy.data<uint16_t>()[i]));
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.bf16_gradient_as_whole_numbers", "1.0.0", "Apache-2.0",
             takes_bf16(layer<Broken>("broken.bf16_gradient_as_whole_numbers_layer")));
