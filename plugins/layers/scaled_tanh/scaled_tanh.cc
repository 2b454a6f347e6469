// The squashing function of LeNet-5 (1998): amplitude tanh(slope x).
#include <plait/element_function.hpp>
#include <plait/functions.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void apply(const float* x, float* y, size_t count, float amplitude, float slope) {
#pragma GCC ivdep  // y may be x
  for (size_t i = 0; i < count; ++i) y[i] = amplitude * tanh_of(slope * x[i]);
}

PLAIT_FAST void undo(const float* y, const float* dy, float* dx, size_t count, float amplitude, float slope) {
#pragma GCC ivdep  // dx may be dy
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * (slope * (amplitude - y[i] * (y[i] / amplitude)));
}

struct ScaledTanh : ElementFunction<ScaledTanh> {
  double amplitude = 1.7159, slope = 2.0 / 3;

  static void describe(Describe<ScaledTanh>& d) {
    d.doc("amplitude tanh(slope x), the squashing function of LeNet-5");
    d.details(
        "y = A tanh(S x). With the defaults y(1) = 1 and y(-1) = -1, where the second derivative is "
        "largest.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: LeCun, Bottou, Bengio, Haffner 1998, equation 6 and appendix A.");
    d.field("amplitude", &ScaledTanh::amplitude).doc("A, the largest value").range(0.01, 100);
    d.field("slope", &ScaledTanh::slope).doc("S, of x").range(0.01, 100);
  }

  void apply(const float* x, float* y, size_t count) const {
    layers::apply(x, y, count, static_cast<float>(amplitude), static_cast<float>(slope));
  }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    layers::undo(y, dy, dx, count, static_cast<float>(amplitude), static_cast<float>(slope));
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.scaled_tanh", "1.0.0", "Apache-2.0", layer<layers::ScaledTanh>("plait.scaled_tanh"));
