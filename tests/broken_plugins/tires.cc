// Is wrong from the fiftieth call on.
// Caught by: history
// Words: depends on calls before it
#include <algorithm>
#include <atomic>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

std::atomic<int> calls{0};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    if (calls++ >= 50) {
      std::ranges::fill(y, 0.0f);
      return;
    }
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.tires", "1.0.0", "Apache-2.0", layer<Broken>("broken.tires_layer"));
