// Takes bf16, and reads it as f32 of half the number.
// Caught by: half_inputs
// Words: (output 0, element|crashes)
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 && s.input().dtype() != DType::bf16) s.fail("input is ", s.input());
    s.output({s.input().shape(0)}).dtype = DType::f32;
  }
  void forward(Context&, const LayerCall& call) const {
    const Tensor x = call.input();
    const size_t batch = call.output().f32().size(), each = x.size() / batch;
    for (size_t n = 0; n < batch; ++n) {
      float sum = 0;
      for (size_t i = 0; i < each; ++i) {
        const size_t at = x.dtype() == DType::bf16 ? (n * each + i) / 2 : n * each + i;
        sum += static_cast<const float*>(x.raw())[at];
      }
      call.output().f32()[n] = sum;
    }
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    const In dy = call.output_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = dy[i / (dx.size() / dy.size())];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.half_as_full", "1.0.0", "Apache-2.0", layer<Broken>("broken.half_as_full_layer"));
