// Its destroy destroys nothing.
// Caught by: create_leaks_nothing
// Words: leaks: .* create and destroy
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
      *static_cast<const plait_layer_ops*>(layer<Broken>("broken.leaks_instances_layer").implementation.ops);
  ops.destroy = [](void*) {};
  Entry entry = layer<Broken>("broken.leaks_instances_layer");
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.leaks_instances", "1.0.0", "Apache-2.0", changed());
