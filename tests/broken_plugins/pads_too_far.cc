// Adds extents without looking whether the sum has 64 bits.
// Caught by: whole_ranges
// Words: crashes .SIGSEGV.*padding
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  int64_t padding = 0;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("padding", &Broken::padding).doc("zeros on each side").at_least(0);
  }
  size_t width(size_t inputs) const { return inputs + 2 * static_cast<size_t>(padding); }
  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 2) s.fail("input is ", x, ", wanted f32 [N, C]");
    s.output({x.shape(0), static_cast<int64_t>(width(static_cast<size_t>(x.shape(1))))});
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
  void forward(Context&, const LayerCall& call) const {
    const size_t inputs = static_cast<size_t>(call.input().shape(1));
    const auto side = static_cast<size_t>(padding);
    for (size_t n = 0; n < static_cast<size_t>(call.input().shape(0)); ++n) {
      float* y = call.output().f32().data() + n * width(inputs);
      for (size_t i = 0; i < side; ++i) y[i] = y[side + inputs + i] = 0;
      for (size_t i = 0; i < inputs; ++i) y[side + i] = call.input().f32()[n * inputs + i];
    }
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const size_t inputs = static_cast<size_t>(call.input().shape(1));
    for (size_t n = 0; n < static_cast<size_t>(call.input().shape(0)); ++n) {
      const float* dy = call.output_gradient().f32().data() + n * width(inputs) + padding;
      for (size_t i = 0; i < inputs; ++i) call.input_gradient().f32()[n * inputs + i] = dy[i];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.pads_too_far", "1.0.0", "Apache-2.0", layer<Broken>("broken.pads_too_far_layer"));
