// Does not look at what its loop answers.
// Caught by: failed_loop
// Words: succeeds although its parallel_for failed
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    struct Work {
      In x;
      Out y;
    } work{x, y};
    c.c()->parallel_for(
        c.c(), x.size(), 1024,
        [](void* user, uint64_t begin, uint64_t end) -> int {
          auto& w = *static_cast<Work*>(user);
          for (uint64_t i = begin; i < end; ++i) w.y[i] = 2 * w.x[i];
          return PLAIT_OK;
        },
        &work);
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

PLAIT_PLUGIN("broken.swallows_failure", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.swallows_failure_layer"));
