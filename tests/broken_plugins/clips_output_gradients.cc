// Takes no output gradient beyond 100 as it is.
// Caught by: gradient_scale
// Words: the gradient of input 0, element .* backward is not linear in them
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * std::clamp(dy[i], -100.0f, 100.0f);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.clips_output_gradients", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.clips_output_gradients_layer"));
