// Says that its configuration is at fault when it is cancelled.
// Caught by: cancelled
// Words: fails with .*odd.*wanted the code PLAIT_ERROR_CANCELLED
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    if (c.cancelled()) throw Error("something odd happened");
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.calls_it_invalid", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.calls_it_invalid_layer"));
