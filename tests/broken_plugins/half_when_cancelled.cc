// Stops in the middle when it is cancelled, and calls that success.
// Caught by: cancelled
// Words: output 0 differs although success is reported
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) {
      if (i % 100 == 0 && c.cancelled()) return;
      y[i] = 2 * x[i];
    }
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.half_when_cancelled", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.half_when_cancelled_layer"));
