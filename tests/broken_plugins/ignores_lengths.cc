// Takes sequences of variable length, and means over all of the memory.
// Caught by: lengths
// Words: depends on what lies past its length
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 3) s.fail("input is ", x, ", wanted f32 [N, W, C]");
    s.output({x.shape(0), 1});
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    const auto batch = static_cast<size_t>(call.input().shape(0)), width = x.size() / batch;
    for (size_t n = 0; n < batch; ++n) {
      y[n] = 0;
      for (size_t k = 0; k < width; ++k) y[n] += x[n * width + k];
    }
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = dy[i / (dx.size() / dy.size())];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.ignores_lengths", "1.0.0", "Apache-2.0", layer<Broken>("broken.ignores_lengths_layer"));
