// Has a surrogate gradient, as one example says, but in other configurations too.
// Caught by: input_gradient
// Words: the gradient of input 0, element
#include <cmath>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  bool rounds = false;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("rounds", &Broken::rounds).doc("rounds, and lets gradients through");
  }
  static void examples(Examples& e) { e.add("rounds: true").surrogate_gradient(); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = rounds ? std::round(x[i]) : x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 3 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.surrogate_elsewhere", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.surrogate_elsewhere_layer"));
