// Crashes in the destructor of a static object.
// Caught by: exit
// Words: crashes .SIGSEGV. when it ends after the plugin was loaded
// Alone: it asks to be called when the process ends
#include <csignal>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Last {
  ~Last() { std::raise(SIGSEGV); }
} last;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.crashes_at_exit", "1.0.0", "Apache-2.0", layer<Broken>("broken.crashes_at_exit_layer"));
