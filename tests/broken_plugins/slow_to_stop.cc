// Asks again and again when it is cancelled.
// Caught by: cancelled
// Words: goes on for [0-9]{5,} pieces and questions after it was told
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    for (int i = 0; i < 50'000 && c.cancelled(); ++i) continue;
    c.stop_if_cancelled();
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.slow_to_stop", "1.0.0", "Apache-2.0", layer<Broken>("broken.slow_to_stop_layer"));
