// An elementwise layer that looks at the element before.
// Caught by: activation
// Words: changes with element
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] + (i % 2 == 1 ? x[i - 1] : 0.0f);
  }
  void backward(Context&, In, In dy, Out dx) const {
    for (size_t i = 0; i < dy.size(); ++i)
      dx[i] = dy[i] + (i % 2 == 0 && i + 1 < dy.size() ? dy[i + 1] : 0.0f);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.activation_of_neighbours", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.activation_of_neighbours"));
