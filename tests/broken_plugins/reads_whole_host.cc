// Takes for granted that the host knows extensions.
// Caught by: older_host
// Words: crashes .SIGSEGV.*older host
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

// The table of the SDK, after a call that an older host does not have.
namespace {
const plait_plugin* table() {
  static const plait::sdk::PluginTable made("broken.reads_whole_host", "1.0.0", "Apache-2.0",
                                            plait::sdk::layer<Broken>("broken.reads_whole_host_layer"));
  return made.c();
}
}  // namespace

extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(
    const plait_host* host) {
  host->get_extension("broken.any/1");
  return table();
}
