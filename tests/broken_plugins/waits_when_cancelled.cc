// Waits for good once it is cancelled.
// Caught by: cancelled
// Words: hangs .*cancelled at piece or question
// Arguments: --time-limit 1
#include <chrono>
#include <plait/sdk.hpp>
#include <thread>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    while (c.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.waits_when_cancelled", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.waits_when_cancelled_layer"));
