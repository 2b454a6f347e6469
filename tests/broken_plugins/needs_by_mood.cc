// Asks for another amount of saved memory each time.
// Caught by: needs_history
// Words: what it needs depends on calls before
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const {
    static std::atomic<size_t> asked{0};
    n.saved(4 * (1 + asked++ % 5));
  }
  void forward(Context&, const LayerCall& call) const {
    for (size_t i = 0; i < call.input().size(); ++i) call.output().f32()[i] = 2 * call.input().f32()[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < call.input().size(); ++i)
      call.input_gradient().f32()[i] = 2 * call.output_gradient().f32()[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.needs_by_mood", "1.0.0", "Apache-2.0", layer<Broken>("broken.needs_by_mood_layer"));
