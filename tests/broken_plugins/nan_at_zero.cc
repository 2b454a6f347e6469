// Divides by the length of a vector that may be 0.
// Caught by: no_nan
// Words: is NaN for finite inputs
#include <cmath>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] / std::abs(x[i]);
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (float& g : dx) g = 0 * dy[0];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.nan_at_zero", "1.0.0", "Apache-2.0", layer<Broken>("broken.nan_at_zero_layer"));
