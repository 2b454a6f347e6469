// The squashing function of LeNet-5 (1998): amplitude tanh(slope x).
#include <plait/functions.hpp>
#include <plait/sdk.hpp>

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

struct ScaledTanh {
  static constexpr bool in_place = true;
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

  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t begin, size_t end) {
      apply(x.data() + begin, y.data() + begin, end - begin, static_cast<float>(amplitude),
            static_cast<float>(slope));
    });
  }
  void backward_from_output(Context& c, In y, In dy, Out dx) const {
    c.parallel_for(y.size(), [&](size_t begin, size_t end) {
      undo(y.data() + begin, dy.data() + begin, dx.data() + begin, end - begin, static_cast<float>(amplitude),
           static_cast<float>(slope));
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.scaled_tanh", "1.0.0", "Apache-2.0", layer<layers::ScaledTanh>("plait.scaled_tanh"));
