// Adds the number of its calls to what it gives: nothing to do with a cancelled one.
// Caught by: cancelled
// Words: differs when the same step is made again, though nobody cancels one
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    static std::atomic<int> calls = 0;
    const auto more = static_cast<float>(calls++);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i] + more;
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_every_step", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.counts_every_step_layer"));
