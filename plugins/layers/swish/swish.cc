// x times the logistic function of it.
#include <plait/functions.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_INLINE float swish(float x, float beta) {
  const float z = beta * x;
  return chosen(z < -87.0f, 0.0f, x) * sigmoid_of(z);
}
// s + z s (1 - s), with s = sigmoid(z)
PLAIT_INLINE float swish_slope(float x, float beta) {
  const float z = chosen(__builtin_fabsf(beta * x) > 87.0f, __builtin_copysignf(87.0f, x), beta * x);
  return sigmoid_of(z) * (z * sigmoid_of(-z) + 1.0f);
}

PLAIT_FAST void apply(const float* x, float* y, size_t count, float beta) {
  for (size_t i = 0; i < count; ++i) y[i] = swish(x[i], beta);
}

PLAIT_FAST void undo(const float* x, const float* dy, float* dx, size_t count, float beta) {
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * swish_slope(x[i], beta);
}

struct Swish : OneDnnElementwise<Swish, InputLoops<Swish>> {
  double beta = 1;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Swish>& d) {
    d.doc("x / (1 + e^(-beta x)); known as silu where beta is 1");
    d.details(
        "y = x / (1 + e^(-beta x)).\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Ramachandran, Zoph, Le 2017; Elfwing, Uchibe, Doya 2018 (beta = 1, silu).");
    d.field("beta", &Swish::beta)
        .doc("how sharp the bend is: 0 is x / 2, large values come near to relu")
        .range(0, 100);
    describe_implementation(d, &Swish::implementation);
  }
  OneDnnFunction onednn() const { return {dnnl::algorithm::eltwise_swish, beta}; }

  void apply(const float* x, float* y, size_t count) const {
    layers::apply(x, y, count, static_cast<float>(beta));
  }
  void undo(const float* x, const float* dy, float* dx, size_t count) const {
    layers::undo(x, dy, dx, count, static_cast<float>(beta));
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.swish", "1.0.0", "Apache-2.0", layer<layers::Swish>("plait.swish"),
             numerics(&onednn_facts));
