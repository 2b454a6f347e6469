// Has another slope below -6 than backward says.
// Caught by: input_gradient
// Words: the gradient of input 0, element
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] < -6 ? -6 + 0.5f * (x[i] + 6) : x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = x[i] < -6 ? 0.6f * dy[i] : dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_beyond_6", "1.0.0", "Apache-2.0", layer<Broken>("broken.wrong_beyond_6_layer"));
