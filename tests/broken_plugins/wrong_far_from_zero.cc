// Caught by: input_gradient
// Words: the gradient of input 0, element \d+, is \S+, but differences give
// A function of two forms, and backward knows the one near 0 alone.
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct WrongFarFromZero {
  static void describe(Describe<WrongFarFromZero>& d) { d.doc("x^2 / 2, beyond 3 a line"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i)
      y[i] = std::abs(x[i]) > 3 ? 3 * std::abs(x[i]) - 4.5f : x[i] * x[i] / 2;
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = x[i] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_far_from_zero", "1.0.0", "Apache-2.0",
             layer<WrongFarFromZero>("broken.wrong_far_from_zero"));
