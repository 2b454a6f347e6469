// Says that it masks, and divides what is left.
// Caught by: corruption
// Words: wanted 0 or the number itself
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  double rate = 0.5;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("rate", &Broken::rate).doc("share of zeros").at_least(0).below(1);
  }
  static void corrupts(Corruption& c) { c.by("masking", "rate"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("wanted f32");
    s.output_like(0);
  }
  void forward(Context&, const LayerCall& call) const { apply(call, call.input(), call.output()); }
  void backward(Context&, const LayerCall& call) const {
    if (call.input_gradient()) apply(call, call.output_gradient(), call.input_gradient());
  }

 private:
  void apply(const LayerCall& call, Tensor from, Tensor to) const {
    const auto limit = static_cast<uint64_t>(rate * 0x1p32);
    const auto factor = static_cast<float>(1 / (1 - rate));
    for (size_t i = 0; i < from.size(); ++i) {
      const bool is_kept = !call.training() || call.random().block(i)[0] >= limit;
      to.f32()[i] = is_kept ? from.f32()[i] * (call.training() ? factor : 1.0f) : 0.0f;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.masks_and_rescales", "1.0.0", "Apache-2.0", layer<Broken>("broken.masks_and_rescales"));
