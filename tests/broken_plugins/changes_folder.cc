// Goes to another folder.
// Caught by: process_state
// Words: the working folder was ".*", is "/"
#include <unistd.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    if (chdir("/") != 0) throw Error("cannot leave");
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.changes_folder", "1.0.0", "Apache-2.0", layer<Broken>("broken.changes_folder_layer"));
