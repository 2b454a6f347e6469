// Takes the mean over the batch off, in evaluation too.
// Caught by: batch_in_evaluation
// Words: samples of a batch see each other
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
    const auto batch = static_cast<size_t>(call.input().shape(0)), width = x.size() / batch;
    for (size_t k = 0; k < width; ++k) {
      float mean = 0;
      for (size_t n = 0; n < batch; ++n) mean += x[n * width + k] / static_cast<float>(batch);
      for (size_t n = 0; n < batch; ++n) y[n * width + k] = x[n * width + k] - mean;
    }
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

PLAIT_PLUGIN("broken.couples_samples", "1.0.0", "Apache-2.0", layer<Broken>("broken.couples_samples_layer"));
