// Squares in place and then copies.
// Caught by: memory
// Words: writes its input 0
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) call.input().f32()[i] = y[i] = x[i] * x[i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 2 * call.input().f32()[i] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.writes_its_input", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.writes_its_input_layer"));
