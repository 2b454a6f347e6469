// Says that it works in place, but reads what it has overwritten.
// Caught by: in_place
// Words: when output 0 lies in input 0
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[x.size() - 1 - i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = dy[dy.size() - 1 - i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.not_in_place", "1.0.0", "Apache-2.0", layer<Broken>("broken.not_in_place_layer"));
