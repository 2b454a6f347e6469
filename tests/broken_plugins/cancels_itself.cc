// Fails as if it were cancelled when nobody cancelled it.
// Caught by: same_again
// Words: cancelled
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In, Out) const { throw Cancelled(); }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.cancels_itself", "1.0.0", "Apache-2.0", layer<Broken>("broken.cancels_itself_layer"));
