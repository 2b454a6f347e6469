// Fails in backward and does not say why.
// Caught by: memory
// Words: backward: the plugin gave no reason
#include <plait/sdk.hpp>

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

Entry changed() {
  static plait_layer_ops ops =
      *static_cast<const plait_layer_ops*>(layer<Broken>("broken.fails_silently_layer").implementation.ops);
  ops.backward = [](const void*, plait_context*, const plait_layer_call*) -> int { return PLAIT_FAILED; };
  Entry entry = layer<Broken>("broken.fails_silently_layer");
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.fails_silently", "1.0.0", "Apache-2.0", changed());
