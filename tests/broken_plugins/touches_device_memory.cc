// Reads memory of a device on the host.
// Caught by: memory
// Words: crashes .SIGSEGV.*forward
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

PLAIT_PLUGIN("broken.touches_device_memory", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.touches_device_memory_layer"),
             implementation<Broken>("broken.touches_device_memory_layer", "plait.test_device"));
