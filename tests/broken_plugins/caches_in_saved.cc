// Takes saved memory for one that lives: it makes its mask at the first forward alone.
// Caught by: used_memory
// Words: gradient of input 0 differs where the memory that the layer is lent
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
    n.saved((r.input().size() + 1) * sizeof(float));
    n.backward_reads(Reads::nothing);
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = std::max(0.0f, x[i]);
    if (!call.training()) return;
    float* const saved = call.saved<float>();
    if (saved[0] == kMade) return;
    saved[0] = kMade;
    for (size_t i = 0; i < x.size(); ++i) saved[1 + i] = x[i] > 0;
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i)
      call.input_gradient().f32()[i] = call.saved<float>()[1 + i] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.caches_in_saved", "1.0.0", "Apache-2.0", layer<Broken>("broken.caches_in_saved_layer"));
