// Saves what no backward will want, in memory that it did not ask for.
// Caught by: combinations
// Words: crashes .SIGSEGV.*forward, training, .*no backward
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void needs(const LayerRequest& r, LayerNeeds& n) const {
    if (r.input_gradient_needed()) n.saved(r.input().size() * sizeof(float));
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
    if (!call.training()) return;
    for (size_t i = 0; i < x.size(); ++i) call.saved<float>()[i] = x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.crashes_without_backward", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.crashes_without_backward_layer"));
