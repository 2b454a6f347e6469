// Keeps its scratch memory in the instance.
// Caught by: concurrent
// Words: when several threads call one instance at once
#include <plait/sdk.hpp>
#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable std::vector<float> scratch = std::vector<float>(65536);

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    for (size_t i = 0; i < x.size() && i < 65536; ++i) scratch[i] = x[i];
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * (i < 65536 ? scratch[i] : x[i]);
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.races", "1.0.0", "Apache-2.0", layer<Broken>("broken.races_layer"));
