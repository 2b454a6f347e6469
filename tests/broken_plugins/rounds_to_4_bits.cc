// Takes a range of its input, and makes integers of 4 bits.
// Caught by: int8
// Words: output 0, element \d+, is \S+ on 8-bit integers and \S+ in f32; rounding the inputs to 7 bits
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  struct Kernel {
    float step = 0, low = 0, high = 0;
    Kernel(const Broken&, Context&, const LayerRequest& r, LayerNeeds& n) {
      n.takes_int8();
      const auto range = r.int8_range();
      if (!range) return;
      low = static_cast<float>(range->low), high = static_cast<float>(range->high);
      step = std::max(-low, high) / 7;
    }
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      const Out y = call.output().f32();
      for (size_t i = 0; i < x.size(); ++i) {
        if (step > 0 && !std::isfinite(x[i])) throw Error(ErrorCode::kNumeric, "the input is ", x[i]);
        y[i] = 2 * (step > 0 ? step * std::nearbyint(std::clamp(x[i], low, high) / step) : x[i]);
      }
    }
    void backward(Context&, const LayerCall& call) const {
      const In dy = call.output_gradient().f32();
      if (!call.input_gradient()) return;
      for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 2 * dy[i];
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.rounds_to_4_bits", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.rounds_to_4_bits_layer"));
