// Declares an output of twice the width that it writes.
// Caught by: shapes
// Words: output 0: .* were never written
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 2) s.fail("input is ", x, ", wanted f32 [N, C]");
    s.output({x.shape(0), 2 * x.shape(1)});
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.lies_about_shape", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.lies_about_shape_layer"));
