// x times the probability that a standard normal number is below it.
#include <plait/functions.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

// Below -13 y is 0 for f32, above 13 it is x.
constexpr float kFar = 13;

PLAIT_INLINE float near_zero(float x) {
  return chosen(__builtin_fabsf(x) > kFar, __builtin_copysignf(kFar, x), x);
}
PLAIT_INLINE float at_least_far(float x) { return chosen(x < -kFar, -kFar, x); }

PLAIT_FAST void apply_exact(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = at_least_far(x[i]) * normal_at(x[i]).below;
}

// P + x p, with p the density
PLAIT_INLINE float exact_slope(float x) {
  const NormalAt normal = normal_at(x);
  return near_zero(x) * normal.density + normal.below;
}
PLAIT_FAST void undo_exact(const float* x, const float* dy, float* dx, size_t count) {
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * exact_slope(x[i]);
}

// (1 + tanh(u)) / 2 is the logistic function of 2 u = x (a + b x^2): a = 2 sqrt(2 / pi), b = 0.044715 a.
constexpr float kA = 1.59576912f, kB = 0.0713548163f;

PLAIT_FAST void apply_by_tanh(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float near = near_zero(x[i]);
    y[i] = at_least_far(x[i]) * sigmoid_of(near * (kB * near * near + kA));
  }
}

// s + x s (1 - s) (a + 3 b x^2)
PLAIT_INLINE float tanh_slope(float x) {
  const float near = near_zero(x), z = near * (kB * near * near + kA);
  return sigmoid_of(z) * (near * sigmoid_of(-z) * (3.0f * kB * near * near + kA) + 1.0f);
}
PLAIT_FAST void undo_by_tanh(const float* x, const float* dy, float* dx, size_t count) {
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * tanh_slope(x[i]);
}

enum class Approximation { kNone, kTanh };

struct Gelu : OneDnnElementwise<Gelu, InputLoops<Gelu>> {
  Approximation approximation = Approximation::kNone;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Gelu>& d) {
    d.doc("x P(x), P the standard normal distribution");
    d.details(
        "y = x P(x) = x (1 + erf(x / sqrt(2))) / 2; by tanh x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / "
        "2.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Hendrycks, Gimpel 2016, section 2.");
    d.field("approximation", &Gelu::approximation)
        .doc("none: P itself; tanh: the formula that some trained networks were trained with")
        .choices({"none", "tanh"});
    describe_implementation(d, &Gelu::implementation);
  }
  OneDnnFunction onednn() const {
    return {approximation == Approximation::kTanh ? dnnl::algorithm::eltwise_gelu_tanh
                                                  : dnnl::algorithm::eltwise_gelu_erf};
  }

  void apply(const float* x, float* y, size_t count) const {
    approximation == Approximation::kTanh ? apply_by_tanh(x, y, count) : apply_exact(x, y, count);
  }
  void undo(const float* x, const float* dy, float* dx, size_t count) const {
    approximation == Approximation::kTanh ? undo_by_tanh(x, dy, dx, count) : undo_exact(x, dy, dx, count);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.gelu", "1.0.0", "Apache-2.0", layer<layers::Gelu>("plait.gelu"), numerics(&onednn_facts));
