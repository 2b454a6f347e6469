// Without the SDK's guard: lets an exception out of a parallel_for's body, through the host's loop.
// Caught by: same_over_lanes
// Words: forward: the plugin let an exception out: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

int body(void*, uint64_t begin, uint64_t) {
  if (begin == 96) throw std::runtime_error("no more paper");
  return PLAIT_OK;
}

Entry changed() {
  Entry entry = layer<Broken>("broken.throws_through_loop_layer");
  static plait_layer_ops ops = *static_cast<const plait_layer_ops*>(entry.implementation.ops);
  ops.forward = [](const void*, plait_context* context, const plait_layer_call*) -> int {
    return context->parallel_for(context, 1000, 32, &body, nullptr);
  };
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.throws_through_loop", "1.0.0", "Apache-2.0", changed());
