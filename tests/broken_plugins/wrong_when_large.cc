// Caught by: input_gradient
// Words: \[64, 512\] f32: the gradient of input 0, element \d+, is
// Right for small tensors; from 4,096 elements on, another loop forgets to square.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct WrongWhenLarge {
  static void describe(Describe<WrongWhenLarge>& d) { d.doc("y = x^2"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = i < 4096 ? x[i] * x[i] : x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * x[i] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_when_large", "1.0.0", "Apache-2.0",
             layer<WrongWhenLarge>("broken.wrong_when_large"));
