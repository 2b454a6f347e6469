// Lets an exception cross the border in create.
// Caught by: creates
// Words: create.*the plugin let an exception out: 7 is no std::exception|create.*something that is no
// std::exception
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
      *static_cast<const plait_layer_ops*>(layer<Broken>("broken.throws_in_create_layer").implementation.ops);
  ops.create = [](plait_context*, const plait_layer_request*, const plait_layer_needs*, void**) -> int {
    throw 7;
  };
  Entry entry = layer<Broken>("broken.throws_in_create_layer");
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.throws_in_create", "1.0.0", "Apache-2.0", changed());
