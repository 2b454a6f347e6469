// Crashes in its step, not at the end of the process.
// Caught by: exit
// Words: crashes .SIGSEGV. before its end: the work itself ends it
#include <plait/sdk.hpp>

#include <csignal>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    std::raise(SIGSEGV);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.crashes_in_step", "1.0.0", "Apache-2.0", layer<Broken>("broken.crashes_in_step_layer"));
