// Closes files that are not its own.
// Caught by: process_state
// Words: (a step changes the process: the file of descriptor|closes a file descriptor that is not its own)
#include <plait/sdk.hpp>

#include <unistd.h>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (int number = 3; number < 10; ++number) ::close(number);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.closes_files", "1.0.0", "Apache-2.0", layer<Broken>("broken.closes_files_layer"));
