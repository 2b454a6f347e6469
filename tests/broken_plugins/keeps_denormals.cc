// Lets denormals be for as long as it works.
// Caught by: denormals
// Words: computes with denormals
#include <xmmintrin.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before & ~0x8040u);
    for (size_t i = 0; i < x.size(); ++i) {
      float value = x[i];
      const float a = 0.999f;
      for (int k = 0; k < 5; ++k) value = value * a * a * a * a * a * a * a * a;
      y[i] = value;
    }
    _mm_setcsr(before);
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 0.9607702f * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.keeps_denormals", "1.0.0", "Apache-2.0", layer<Broken>("broken.keeps_denormals_layer"));
