// Right: takes numbers of 16 bits too.
// Caught by: nothing
// Words: passed .*half_inputs: [0-9]+ cases.* 0 failed
#include <cstring>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static float number(Tensor x, size_t i) {
    if (x.dtype() == DType::f32) return x.f32()[i];
    const uint32_t bits = static_cast<uint32_t>(x.data<uint16_t>()[i]) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 && s.input().dtype() != DType::bf16) s.fail("input is ", s.input());
    s.output_like(0).dtype = DType::f32;
  }
  void forward(Context&, const LayerCall& call) const {
    const Out y = call.output().f32();
    for (size_t i = 0; i < y.size(); ++i) y[i] = 3 * number(call.input(), i);
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 3 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_halves", "1.0.0", "Apache-2.0", layer<Broken>("broken.right_halves_layer"));
