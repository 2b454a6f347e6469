// Asks for less workspace than it uses.
// Caught by: memory
// Words: workspace .* past its end were written
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
    n.workspace((r.input().size() - 1) * sizeof(float));
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    float* scratch = call.workspace<float>();
    for (size_t i = 0; i < x.size(); ++i) scratch[i] = 2 * x[i];
    for (size_t i = 0; i < x.size(); ++i) y[i] = scratch[i];
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.overruns_workspace", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.overruns_workspace_layer"));
