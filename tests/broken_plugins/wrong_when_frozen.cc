// Forgets its weight in backward where its parameters are frozen.
// Caught by: input_gradient
// Words: parameters frozen: the gradient of input 0, element \d+, is \S+, but differences give
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.weight("scale", {1}).init("constant", 2);
  }
  struct Kernel {
    bool frozen;
    Kernel(const Broken&, Context&, const LayerRequest& r, LayerNeeds&) : frozen(r.parameters_frozen()) {}
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = *call.parameter(0) * x[i];
    }
    void backward(Context&, const LayerCall& call) const {
      const In x = call.input().f32(), dy = call.output_gradient().f32();
      float sum = 0;
      for (size_t i = 0; i < dy.size(); ++i) sum += x[i] * dy[i];
      if (float* gradient = call.parameter_gradient(0)) *gradient = sum;
      if (!call.input_gradient()) return;
      const float scale = frozen ? 1 : *call.parameter(0);
      for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = scale * dy[i];
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_when_frozen", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.wrong_when_frozen_layer"));
