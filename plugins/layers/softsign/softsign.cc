// x / (1 + |x|): comes to its limits slower than tanh.
#include <plait/functions.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

// Where 1 is lost in the sum, an infinite x too, y is 1 or -1.
PLAIT_INLINE float softsign(float x) {
  const float a = __builtin_fabsf(x);
  return chosen(a > 0x1p25f, __builtin_copysignf(1.0f, x), x / (1.0f + a));
}
PLAIT_INLINE float softsign_slope(float y) {
  const float rest = 1.0f - __builtin_fabsf(y);
  return rest * rest;
}

PLAIT_FAST void apply(const float* x, float* y, size_t count) {
#pragma GCC ivdep  // y may be x
  for (size_t i = 0; i < count; ++i) y[i] = softsign(x[i]);
}

PLAIT_FAST void undo(const float* y, const float* dy, float* dx, size_t count) {
#pragma GCC ivdep  // dx may be dy
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * softsign_slope(y[i]);
}

struct Softsign {
  static constexpr bool in_place = true;

  static void describe(Describe<Softsign>& d) {
    d.doc("x / (1 + |x|)");
    d.details(
        "y = x / (1 + |x|); its slope is (1 - |y|)^2.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Glorot, Bengio 2010, section 3.");
  }

  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(),
                   [&](size_t begin, size_t end) { apply(x.data() + begin, y.data() + begin, end - begin); });
  }
  void backward_from_output(Context& c, In y, In dy, Out dx) const {
    c.parallel_for(y.size(), [&](size_t begin, size_t end) {
      undo(y.data() + begin, dy.data() + begin, dx.data() + begin, end - begin);
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.softsign", "1.0.0", "Apache-2.0", layer<layers::Softsign>("plait.softsign"));
