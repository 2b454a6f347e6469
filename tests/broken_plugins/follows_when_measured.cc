// Says that it measures its mean, and goes on to follow it.
// Caught by: measuring
// Words: buffer "mean" depends on what was in it
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.buffer("mean", {1});
    s.measures_buffers();
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    const Out y = call.output().f32();
    double sum = 0;
    for (const float value : x) sum += value;
    float& mean = call.buffer(0)[0];
    if (call.training() && !x.empty()) mean = 0.9f * mean + 0.1f * static_cast<float>(sum / x.size());
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.follows_when_measured", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.follows_when_measured_layer"));
