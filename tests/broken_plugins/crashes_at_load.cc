// Crashes while it is loaded.
// Caught by: loads
// Words: crashes when it is loaded: SIGSEGV
// Alone: it does something when it is loaded
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Early {
  Early() { *static_cast<volatile int*>(nullptr) = 1; }
} early;

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

PLAIT_PLUGIN("broken.crashes_at_load", "1.0.0", "Apache-2.0", layer<Broken>("broken.crashes_at_load_layer"));
