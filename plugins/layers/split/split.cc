// Several outputs of one input: the channels cut into pieces.
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

struct Split {
  std::vector<int64_t> channels;

  static void describe(Describe<Split>& d) {
    d.doc("the channels cut into several outputs");
    d.details("Shapes: x [..., C]; outputs [..., channels_i], read as \"name\", \"name:1\", ...; f32.");
    d.field("channels", &Split::channels)
        .doc("channels of each output; their sum is C")
        .at_least(1)
        .required();
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 || s.input().rank() < 1)
      s.fail("input is ", s.input(), ", wanted f32");
    int64_t sum = 0;
    for (int64_t count : channels) sum += count;
    if (sum != s.input().shape(-1))
      s.fail("channels sum to ", sum, ", wanted the input's ", s.input().shape(-1));
    for (int64_t count : channels) s.output_like(0).shape.back() = count;
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context&, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    const auto row = static_cast<size_t>(call.input().shape(-1));
    for (size_t i = 0; i < call.outputs(); ++i) {
      const auto width = static_cast<size_t>(call.output(i).shape(-1));
      const Out y = call.output(i).f32();
      for (size_t r = 0; r * width < y.size(); ++r) std::copy_n(x + r * row, width, y.data() + r * width);
      x += width;
    }
  }

  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    float* dx = call.input_gradient().f32().data();
    const auto row = static_cast<size_t>(call.input().shape(-1));
    for (size_t i = 0; i < call.outputs(); ++i) {
      const auto width = static_cast<size_t>(call.output(i).shape(-1));
      const Out dy = call.output_gradient(i).f32();
      for (size_t r = 0; r * width < dy.size(); ++r) std::copy_n(dy.data() + r * width, width, dx + r * row);
      dx += width;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.split", "1.0.0", "Apache-2.0", layer<Split>("plait.split"));
