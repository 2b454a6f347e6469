// Right: a wave whose teeth are much shorter than its largest inputs.
// Caught by: nothing
// Words: right_wave_layer: input_gradient.* 0 failed
#include <plait/sdk.hpp>

#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] - std::floor(x[i]);
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_wave", "1.0.0", "Apache-2.0", layer<Broken>("broken.right_wave_layer"));
