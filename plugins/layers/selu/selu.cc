// An elu scaled so that mean 0 and variance 1 are kept from layer to layer.
#include <plait/element_function.hpp>
#include <plait/functions.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

constexpr float kScale = 1.05070099f, kBelow = 1.75809934f;  // s, s a

PLAIT_FAST void apply(const float* x, float* y, size_t count) {
#pragma GCC ivdep  // y may be x
  for (size_t i = 0; i < count; ++i) y[i] = chosen(x[i] > 0, kScale * x[i], kBelow * expm1_of(x[i]));
}

PLAIT_FAST void undo(const float* y, const float* dy, float* dx, size_t count) {
#pragma GCC ivdep  // dx may be dy
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * chosen(y[i] > 0, kScale, y[i] + kBelow);
}

struct Selu : ElementFunction<Selu> {
  static void describe(Describe<Selu>& d) {
    d.doc("scaled exponential linear unit, which keeps mean 0 and variance 1");
    d.details(
        "y = s x where x > 0, else s a (e^x - 1), with s = 1.0507009873554805 and a = 1.6732632423543772, "
        "the\n"
        "fixed point of mean 0 and variance 1. Initialize the layer before it by lecun_normal.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, equation 2.");
  }

  void apply(const float* x, float* y, size_t count) const { layers::apply(x, y, count); }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    layers::undo(y, dy, dx, count);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.selu", "1.0.0", "Apache-2.0", layer<layers::Selu>("plait.selu"));
