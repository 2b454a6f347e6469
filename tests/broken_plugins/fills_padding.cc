// Packs into more elements than it has, and leaves the rest as it was.
// Caught by: packing
// Words: leaves elements of its output unwritten
#include <algorithm>
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
  void needs(const LayerRequest&, LayerNeeds& n) const { n.stored_elements(0, 4); }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = call.parameter(0)[0] * x[i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    float sum = 0;
    for (size_t i = 0; i < dy.size(); ++i) sum += call.input().f32()[i] * dy[i];
    if (call.parameter_gradient(0))
      std::fill_n(call.parameter_gradient(0), 4, 0.0f), call.parameter_gradient(0)[0] = sum;
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = call.parameter(0)[0] * dy[i];
  }
  void pack(Context&, uint32_t, const float* plain, float* stored) const { stored[0] = plain[0]; }
  void unpack(Context&, uint32_t, const float* stored, float* plain) const { plain[0] = stored[0]; }
};

}  // namespace

PLAIT_PLUGIN("broken.fills_padding", "1.0.0", "Apache-2.0", layer<Broken>("broken.fills_padding_layer"));
