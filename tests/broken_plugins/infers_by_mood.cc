// Gives another shape after a hundred questions.
// Caught by: infer_history
// Words: infer depends on calls before it
#include <atomic>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

std::atomic<int> questions{0};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    if (questions++ > 200) s.buffer("count", {1});
  }
  void forward(Context&, const LayerCall& call) const {
    for (size_t i = 0; i < call.input().size(); ++i) call.output().f32()[i] = 2 * call.input().f32()[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.infers_by_mood", "1.0.0", "Apache-2.0", layer<Broken>("broken.infers_by_mood_layer"));
