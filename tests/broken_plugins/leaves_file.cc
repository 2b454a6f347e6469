// Leaves a file open.
// Caught by: process_state
// Words: 1 open files are left behind
#include <fcntl.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    static const int file = open("/dev/null", O_RDONLY);
    static_cast<void>(file);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.leaves_file", "1.0.0", "Apache-2.0", layer<Broken>("broken.leaves_file_layer"));
