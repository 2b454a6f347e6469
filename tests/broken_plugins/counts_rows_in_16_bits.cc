// Counts numbers of a row in 16 bits.
// Caught by: large_samples
// Words: element 655[0-9]+ of
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context&, const LayerCall& call) const {
    const size_t rows = static_cast<size_t>(call.input().shape(0)), count = call.input().size() / rows;
    for (size_t n = 0; n < rows; ++n)
      for (size_t i = 0; i < count; ++i)
        call.output().f32()[n * count + i] = 2 * call.input().f32()[n * count + static_cast<uint16_t>(i)];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const In dy = call.output_gradient().f32();
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_rows_in_16_bits", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.counts_rows_in_16_bits_layer"));
