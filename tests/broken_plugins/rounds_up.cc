// Changes the rounding and does not change it back.
// Caught by: process_state
// Words: rounding was
#include <cfenv>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    std::fesetround(FE_UPWARD);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.rounds_up", "1.0.0", "Apache-2.0", layer<Broken>("broken.rounds_up_layer"));
