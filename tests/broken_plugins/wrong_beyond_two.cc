// A large weight counts twice, and backward does not know.
// Caught by: parameter_gradient
// Words: the gradient of parameter "weight", element \d+, is \S+, but differences give
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static float factor(float w) { return std::abs(w) < 2 ? w : std::copysign(2 * std::abs(w) - 2, w); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 || s.input().rank() < 2)
      s.fail("input is ", s.input(), ", wanted f32[N, ..., C]");
    s.output_like(0);
    s.weight("weight", {s.input().shape(-1)}).init("constant", 0).no_decay();
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    for (size_t i = 0; i < x.size(); ++i)
      call.output().f32()[i] = factor(call.parameter(0)[i % channels]) * x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    const In x = call.input().f32(), dy = call.output_gradient().f32();
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    if (float* dw = call.parameter_gradient(0)) {
      std::fill_n(dw, channels, 0.0f);
      for (size_t i = 0; i < x.size(); ++i) dw[i % channels] += x[i] * dy[i];
    }
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < x.size(); ++i)
      call.input_gradient().f32()[i] = factor(call.parameter(0)[i % channels]) * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_beyond_two", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.wrong_beyond_two_layer"));
