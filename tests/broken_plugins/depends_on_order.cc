// Weighs a sample by its place in the batch.
// Caught by: batch_in_evaluation
// Words: in the batch, .* alone
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    const auto width = x.size() / static_cast<size_t>(call.input().shape(0));
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * static_cast<float>(1 + i / width);
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.depends_on_order", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.depends_on_order_layer"));
