// Ends the process that ends with a status of its own.
// Caught by: exit
// Words: has status 3, wanted 0
// Alone: it asks to be called when the process ends
#include <unistd.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Last {
  ~Last() { _exit(3); }
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

PLAIT_PLUGIN("broken.changes_exit_status", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.changes_exit_status_layer"));
