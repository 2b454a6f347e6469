// The gradient of x^3 lacks a factor.
// Caught by: input_gradient
// Words: but differences give
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * x[i] * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * x[i] * x[i] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_gradient", "1.0.0", "Apache-2.0", layer<Broken>("broken.wrong_gradient_layer"));
