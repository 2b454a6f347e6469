// Sets a variable of the environment.
// Caught by: process_state
// Words: variable BROKEN_VARIABLE is new
#include <cstdlib>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    setenv("BROKEN_VARIABLE", "1", 1);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sets_variable", "1.0.0", "Apache-2.0", layer<Broken>("broken.sets_variable_layer"));
