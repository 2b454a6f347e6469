// A logistic function of straight lines.
#include <plait/element_function.hpp>
#include <plait/functions.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_INLINE float hard_sigmoid(float x) {
  const float between = x * (1.0f / 6) + 0.5f;
  return chosen(x <= -3.0f, 0.0f, chosen(x >= 3.0f, 1.0f, between));
}

PLAIT_FAST void apply(const float* x, float* y, size_t count) {
#pragma GCC ivdep  // y may be x
  for (size_t i = 0; i < count; ++i) y[i] = hard_sigmoid(x[i]);
}

PLAIT_FAST void undo(const float* y, const float* dy, float* dx, size_t count) {
#pragma GCC ivdep  // dx may be dy
  for (size_t i = 0; i < count; ++i)
    dx[i] = dy[i] * chosen(y[i] > 0.0f, chosen(y[i] < 1.0f, 1.0f / 6, 0.0f), 0.0f);
}

struct HardSigmoid : ElementFunction<HardSigmoid> {
  static void describe(Describe<HardSigmoid>& d) {
    d.doc("min(max(x / 6 + 1 / 2, 0), 1)");
    d.details(
        "y = 0 where x <= -3, 1 where x >= 3, else x / 6 + 1 / 2.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Howard and others 2019 (MobileNetV3), section 5.2.");
  }

  void apply(const float* x, float* y, size_t count) const { layers::apply(x, y, count); }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    layers::undo(y, dy, dx, count);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.hard_sigmoid", "1.0.0", "Apache-2.0", layer<layers::HardSigmoid>("plait.hard_sigmoid"));
