// x times the hard logistic function of it.
#include <plait/functions.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_INLINE float hard_swish(float x) {
  const float between = x * ((x + 3.0f) * (1.0f / 6));
  return chosen(x <= -3.0f, 0.0f, chosen(x >= 3.0f, x, between));
}
PLAIT_INLINE float hard_swish_slope(float x) {
  const float between = x * (1.0f / 3) + 0.5f;
  return chosen(x <= -3.0f, 0.0f, chosen(x >= 3.0f, 1.0f, between));
}

PLAIT_FAST void apply(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = hard_swish(x[i]);
}

PLAIT_FAST void undo(const float* x, const float* dy, float* dx, size_t count) {
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * hard_swish_slope(x[i]);
}

struct HardSwish : OneDnnElementwise<HardSwish, InputLoops<HardSwish>> {
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<HardSwish>& d) {
    d.doc("x min(max(x + 3, 0), 6) / 6: swish of straight lines");
    d.details(
        "y = 0 where x <= -3, x where x >= 3, else x (x + 3) / 6.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Howard and others 2019 (MobileNetV3), section 5.2.");
    describe_implementation(d, &HardSwish::implementation);
  }
  OneDnnFunction onednn() const { return {dnnl::algorithm::eltwise_hardswish, 1.0 / 6, 0.5}; }

  void apply(const float* x, float* y, size_t count) const { layers::apply(x, y, count); }
  void undo(const float* x, const float* dy, float* dx, size_t count) const {
    layers::undo(x, dy, dx, count);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.hard_swish", "1.0.0", "Apache-2.0", layer<layers::HardSwish>("plait.hard_swish"),
             numerics(&onednn_facts));
