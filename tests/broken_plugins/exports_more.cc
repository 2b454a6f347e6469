// Exports a function of its own.
// Caught by: exports
// Words: symbols besides plait_plugin_v1:
// Alone: it exports what the others do not
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

}  // namespace

extern "C" __attribute__((visibility("default"))) int broken_helper() { return 1; }

PLAIT_PLUGIN("broken.exports_more", "1.0.0", "Apache-2.0", layer<Broken>("broken.exports_more_layer"));
