// Carries what backward needs in the workspace, which is gone by then.
// Caught by: workspace
// Words: gradient of input 0 differs when the workspace is overwritten between
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
    n.workspace(r.input().size() * sizeof(float));
    n.backward_reads(Reads::nothing);
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) call.workspace<float>()[i] = 2 * x[i], y[i] = x[i] * x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = call.workspace<float>()[i] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.keeps_workspace", "1.0.0", "Apache-2.0", layer<Broken>("broken.keeps_workspace_layer"));
