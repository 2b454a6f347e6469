// Takes the workspace for a memory that lives: it computes at the first call alone.
// Caught by: history
// Words: output 0 differs when the same call is made again as call \d+ of a history
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr float kMade = 12345;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void needs(const LayerRequest& r, LayerNeeds& n) const {
    n.workspace((r.input().size() + 1) * sizeof(float));
    n.backward_reads(Reads::nothing);
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    float* const made = call.workspace<float>();
    for (size_t i = 0; i < x.size() && made[0] != kMade; ++i) made[1 + i] = 2 * x[i];
    made[0] = kMade;
    std::copy_n(made + 1, x.size(), call.output().f32().data());
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.caches_in_workspace", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.caches_in_workspace_layer"));
