// Switches denormal numbers and rounding as it likes, and leaves it so.
// Caught by: float_state
// Words: MXCSR
#include <xmmintrin.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    _mm_setcsr(0x1F80);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sets_denormals", "1.0.0", "Apache-2.0", layer<Broken>("broken.sets_denormals_layer"));
