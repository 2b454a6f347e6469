// Inputs side by side along the last axis (channels).
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

struct Concat {
  static constexpr uint32_t min_inputs = 1, max_inputs = kAnyInputs;

  static void describe(Describe<Concat>& d) {
    d.doc("inputs side by side along the channels");
    d.details("Shapes: inputs [..., C_i] alike but for the last extent; y [..., C_0 + C_1 + ...], f32.");
  }

  void infer(LayerShapes& s) const {
    const auto first = s.input().shape();
    int64_t channels = 0;
    for (size_t i = 0; i < s.inputs(); ++i) {
      const auto shape = s.input(i).shape();
      if (s.input(i).dtype() != DType::f32 || shape.empty())
        s.fail("input ", i, " is ", s.input(i), ", wanted f32");
      if (shape.size() != first.size() || !std::equal(shape.begin(), shape.end() - 1, first.begin()))
        s.fail("input ", i, " is ", s.input(i),
               ", wanted the extents of input 0 but for the last: ", s.input());
      channels += shape.back();
    }
    s.output_like(0).shape.back() = channels;
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context&, const LayerCall& call) const {
    float* y = call.output().f32().data();
    const auto row = static_cast<size_t>(call.output().shape(-1));
    for (size_t i = 0; i < call.inputs(); ++i) {
      const auto width = static_cast<size_t>(call.input(i).shape(-1));
      const Out x = call.input(i).f32();
      for (size_t r = 0; r * width < x.size(); ++r) std::copy_n(x.data() + r * width, width, y + r * row);
      y += width;
    }
  }

  void backward(Context&, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    const auto row = static_cast<size_t>(call.output().shape(-1));
    for (size_t i = 0; i < call.inputs(); ++i) {
      const auto width = static_cast<size_t>(call.input(i).shape(-1));
      if (call.input_gradient(i)) {
        const Out dx = call.input_gradient(i).f32();
        for (size_t r = 0; r * width < dx.size(); ++r)
          std::copy_n(dy + r * row, width, dx.data() + r * width);
      }
      dy += width;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.concat", "1.0.0", "Apache-2.0", layer<Concat>("plait.concat"));
