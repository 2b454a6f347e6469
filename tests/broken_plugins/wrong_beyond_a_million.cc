// Is steeper beyond a million, and backward does not know.
// Caught by: input_gradient
// Words: the gradient of input 0, element \d+, is \S+, but differences give
#include <plait/sdk.hpp>

#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i)
      y[i] = std::abs(x[i]) < 1e6f ? x[i] : std::copysign(2 * std::abs(x[i]) - 1e6f, x[i]);
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_beyond_a_million", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.wrong_beyond_a_million_layer"));
