// Says that it takes images of any size, and divides by the extents of the largest.
// Caught by: extents
// Words: output 0 of sample 0 .* in a batch, .* without padding
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool two_axes = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 4) s.fail("input is ", x, ", wanted f32 [N, H, W, C]");
    s.output({x.shape(0), x.shape(-1)});
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
  void forward(Context&, const LayerCall& call) const {
    const Tensor x = call.input();
    const auto channels = static_cast<size_t>(x.shape(-1)), batch = static_cast<size_t>(x.shape(0));
    const size_t places = x.size() / (batch * channels);
    const Out y = call.output().f32();
    for (size_t i = 0; i < y.size(); ++i) {
      double sum = 0;  // of zeros past the extents
      for (size_t p = 0; p < places; ++p)
        sum += x.f32()[(i / channels * places + p) * channels + i % channels];
      y[i] = static_cast<float>(sum / static_cast<double>(places));
    }
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Tensor x = call.input_gradient();
    const auto channels = static_cast<size_t>(x.shape(-1)), batch = static_cast<size_t>(x.shape(0));
    const size_t places = x.size() / (batch * channels);
    const In dy = call.output_gradient().f32();
    const Out dx = x.f32();
    for (size_t i = 0; i < dx.size(); ++i)
      dx[i] = dy[i / (places * channels) * channels + i % channels] / static_cast<float>(places);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.averages_padding", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.averages_padding_layer"));
