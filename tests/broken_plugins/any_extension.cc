// Answers every extension that it is asked for.
// Caught by: unknown_extension
// Words: which does not exist
// Alone: it writes its entry itself
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

namespace {
const plait_plugin* table() {
  static const plait::sdk::PluginTable made("broken.any_extension", "1.0.0", "Apache-2.0",
                                            plait::sdk::layer<Broken>("broken.any_extension_layer"));
  static plait_plugin changed = *made.c();
  changed.get_extension = [](const char*) -> const void* { return &changed; };
  return &changed;
}
}  // namespace

extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host*) {
  return table();
}
