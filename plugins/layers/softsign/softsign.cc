// x / (1 + |x|): comes to its limits slower than tanh.
#include <plait/element_function.hpp>
#include <plait/functions.hpp>

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

struct Softsign : ElementFunction<Softsign> {
  static void describe(Describe<Softsign>& d) {
    d.doc("x / (1 + |x|)");
    d.details(
        "y = x / (1 + |x|); its slope is (1 - |y|)^2.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Glorot, Bengio 2010, section 3.");
  }

  void apply(const float* x, float* y, size_t count) const { layers::apply(x, y, count); }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    layers::undo(y, dy, dx, count);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.softsign", "1.0.0", "Apache-2.0", layer<layers::Softsign>("plait.softsign"));
