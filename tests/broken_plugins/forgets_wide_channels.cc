// Forgets the gradients of channels from 1,024 on.
// Caught by: large_samples
// Words: the gradient of parameter "weight", element \d+ of \d+, is 0, but differences give
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 || s.input().rank() < 2)
      s.fail("input is ", s.input(), ", wanted f32[N, ..., C]");
    s.output_like(0);
    s.weight("weight", {s.input().shape(-1)}).init("constant", 1).no_decay();
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = call.parameter(0)[i % channels] * x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    const In x = call.input().f32(), dy = call.output_gradient().f32();
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    if (float* dw = call.parameter_gradient(0)) {
      std::fill_n(dw, channels, 0.0f);
      for (size_t i = 0; i < x.size(); ++i)
        if (i % channels < 1024) dw[i % channels] += x[i] * dy[i];
    }
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < x.size(); ++i)
      call.input_gradient().f32()[i] = call.parameter(0)[i % channels] * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.forgets_wide_channels", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.forgets_wide_channels_layer"));
