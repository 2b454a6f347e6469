// Counts the numbers of its second input in 16 bits.
// Caught by: large_samples
// Words: gradient of input 1, element \d+ of \d+, is 0
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static constexpr uint32_t min_inputs = 2, max_inputs = 2;
  void infer(LayerShapes& s) const {
    const auto a = s.input(0).shape(), b = s.input(1).shape();
    if (s.input(0).dtype() != DType::f32 || s.input(1).dtype() != DType::f32 || !std::ranges::equal(a, b))
      s.fail("inputs are ", s.input(0), " and ", s.input(1), ", wanted two f32 of the same shape");
    s.output_like(0);
  }
  void forward(Context&, const LayerCall& call) const {
    const In a = call.input(0).f32(), b = call.input(1).f32();
    for (size_t i = 0; i < a.size(); ++i) call.output().f32()[i] = a[i] * b[i];
  }
  void backward(Context&, const LayerCall& call) const {
    const In a = call.input(0).f32(), b = call.input(1).f32(), dy = call.output_gradient().f32();
    const size_t each = a.size() / static_cast<size_t>(call.input(0).shape(0));
    if (call.input_gradient(0))
      for (size_t i = 0; i < a.size(); ++i) call.input_gradient(0).f32()[i] = b[i] * dy[i];
    if (call.input_gradient(1))
      for (size_t i = 0; i < a.size(); ++i)
        call.input_gradient(1).f32()[i] = i % each < 65'536 ? a[i] * dy[i] : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.second_input_in_16_bits", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.second_input_in_16_bits_layer"));
