// Takes the mean of a batch over the places that there is room for, not those that its samples have.
// Caught by: extents
// Words: output 0 of sample 0 .*, element 0: .* with more room
#include <plait/sdk.hpp>

#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool two_axes = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {2, 4, 3, 2}).couples_samples_in_training(); }
  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 4) s.fail("input is ", x, ", wanted f32 [N, H, W, C]");
    s.output_like(0);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
  // In training the mean of each channel is taken off.
  void forward(Context&, const LayerCall& call) const { centre(call, call.input(), call.output()); }
  void backward(Context&, const LayerCall& call) const {
    if (call.input_gradient()) centre(call, call.output_gradient(), call.input_gradient());
  }

 private:
  static void centre(const LayerCall& call, const Tensor& from, const Tensor& to) {
    const auto channels = static_cast<size_t>(from.shape(-1)), rows = from.size() / channels;
    std::vector<double> sum(channels);
    for (size_t i = 0; i < from.size() && call.training(); ++i) sum[i % channels] += from.f32()[i];
    for (size_t i = 0; i < from.size(); ++i)
      to.f32()[i] = static_cast<float>(from.f32()[i] - sum[i % channels] / static_cast<double>(rows));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_padding", "1.0.0", "Apache-2.0", layer<Broken>("broken.counts_padding_layer"));
