// Waits for others where there are others.
// Caught by: lanes
// Words: slows down
#include <chrono>
#include <plait/sdk.hpp>
#include <thread>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    if (c.lanes() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.slower_on_two_lanes", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.slower_on_two_lanes_layer"));
