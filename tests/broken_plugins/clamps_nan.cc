// Absorbs relu as libraries often apply it: the larger of 0 and a NaN is 0.
// Caught by: absorbed_nan
// Words: but 0 with relu absorbed, wanted NaN
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.accepts_epilogue("relu");
  }
  struct Kernel {
    bool absorbs;
    double slope = 0;  // below zero

    Kernel(const Broken&, Context&, const LayerRequest& r, LayerNeeds& n) : absorbs(r.epilogues() > 0) {
      if (absorbs) slope = r.epilogue().alpha;
      n.backward_reads(Reads::outputs);
    }
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      const Out y = call.output().f32();
      for (size_t i = 0; i < x.size(); ++i) {
        y[i] = 2 * x[i];
        if (absorbs && !(y[i] > 0)) y[i] = slope == 0 ? 0 : static_cast<float>(slope) * y[i];
      }
    }
    void backward(Context&, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      const In y = call.output().f32(), dy = call.output_gradient().f32();
      const Out dx = call.input_gradient().f32();
      for (size_t i = 0; i < dy.size(); ++i)
        dx[i] = 2 * dy[i] * (absorbs && !(y[i] > 0) ? static_cast<float>(slope) : 1);
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.clamps_nan", "1.0.0", "Apache-2.0", layer<Broken>("broken.clamps_nan_layer"));
