// Sets the whole floating-point mode while it works, denormals among it, and puts back what was there.
// Caught by: denormals
// Words: computes with denormals.* [1-9][0-9]* of [0-9]+ results
#include <xmmintrin.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    const unsigned before = _mm_getcsr();
    _mm_setcsr(0x1F80);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 0.5f * x[i];
    _mm_setcsr(before);
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 0.5f * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.makes_denormals", "1.0.0", "Apache-2.0", layer<Broken>("broken.makes_denormals_layer"));
