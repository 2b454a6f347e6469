// Couples samples, as one example says, but in other configurations too.
// Caught by: batch_in_evaluation
// Words: samples of a batch see each other
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  bool mix = false;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("mix", &Broken::mix).doc("mixes samples");
  }
  static void examples(Examples& e) { e.add("mix: true").input(DType::f32, {4, 5}).couples_samples(); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  static float factor(size_t i, const Tensor& x) { return i < x.size() / 2 ? 2.0f : 1.0f; }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = factor(i, call.input()) * x[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = factor(i, call.input()) * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.couples_elsewhere", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.couples_elsewhere_layer"));
