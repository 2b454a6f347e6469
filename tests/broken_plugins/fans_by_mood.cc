// Names other fans for its first values each time.
// Caught by: infer_history
// Words: infer depends on calls before it.*fans
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    static std::atomic<int> asked{0};
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.weight("scale", {1}).init("he_normal").fans(1 + asked++ % 7, 1);
  }
  void forward(Context&, const LayerCall& call) const {
    for (size_t i = 0; i < call.input().size(); ++i)
      call.output().f32()[i] = *call.parameter(0) * call.input().f32()[i];
  }
  void backward(Context&, const LayerCall& call) const {
    const In x = call.input().f32(), dy = call.output_gradient().f32();
    float sum = 0;
    for (size_t i = 0; i < dy.size(); ++i) sum += x[i] * dy[i];
    if (float* gradient = call.parameter_gradient(0)) *gradient = sum;
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = *call.parameter(0) * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.fans_by_mood", "1.0.0", "Apache-2.0", layer<Broken>("broken.fans_by_mood_layer"));
