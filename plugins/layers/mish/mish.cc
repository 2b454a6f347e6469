// x tanh(ln(1 + e^x)).
#include <plait/functions.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

// e^x no larger than its fourth power may be; from there on y is x to the last place.
PLAIT_INLINE float bounded_exp(float x) { return exp_of(chosen(x > 20.0f, 20.0f, x)); }

PLAIT_INLINE float mish(float x) {
  const float e = bounded_exp(x), n = e * (e + 2.0f);
  return chosen(x < -87.0f, 0.0f, x) * (n / (n + 2.0f));
}
// t + x t', with t = n / (n + 2) and t' = 4 e (e + 1) / (n + 2)^2
PLAIT_INLINE float mish_slope(float x) {
  const float e = bounded_exp(x), n = e * (e + 2.0f), inverse = 1.0f / (n + 2.0f);
  const float near = chosen(__builtin_fabsf(x) > 87.0f, 0.0f, x);
  return n * inverse + near * (4.0f * (e * inverse) * ((e + 1.0f) * inverse));
}

PLAIT_FAST void apply(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = mish(x[i]);
}

PLAIT_FAST void undo(const float* x, const float* dy, float* dx, size_t count) {
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * mish_slope(x[i]);
}

struct Mish : OneDnnElementwise<Mish, InputLoops<Mish>> {
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Mish>& d) {
    d.doc("x tanh(ln(1 + e^x))");
    d.details(
        "y = x tanh(ln(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2).\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Misra 2019, equation 1.");
    describe_implementation(d, &Mish::implementation);
  }
  OneDnnFunction onednn() const { return {dnnl::algorithm::eltwise_mish}; }

  void apply(const float* x, float* y, size_t count) const { layers::apply(x, y, count); }
  void undo(const float* x, const float* dy, float* dx, size_t count) const {
    layers::undo(x, dy, dx, count);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.mish", "1.0.0", "Apache-2.0", layer<layers::Mish>("plait.mish"), numerics(&onednn_facts));
