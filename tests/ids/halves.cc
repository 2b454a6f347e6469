// For ids_test.py: a layer and an augmenter that are both called acme.halve.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct HalveOutputs {
  float by = 2;

  static void describe(Describe<HalveOutputs>& d) {
    d.doc("x / by, elementwise");
    d.field("by", &HalveOutputs::by).doc("divisor").range(1, 16);
  }
  static void examples(Examples& e) { e.add("by: 4"); }
  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t i) { y[i] = x[i] / by; });
  }
  void backward_from_output(Context& c, In, In dy, Out dx) const {
    c.parallel_for(dy.size(), [&](size_t i) { dx[i] = dy[i] / by; });
  }
};

struct HalvePixels {
  bool twice = false;

  static void describe(Describe<HalvePixels>& d) {
    d.doc("a picture with half of its brightness");
    d.field("twice", &HalvePixels::twice).doc("a quarter");
  }
  static void examples(Examples& e) { e.add("twice: true").input(DType::u8, {4, 4, 1}, "image"); }
  void infer(Parts& parts) const {
    if (parts.part("image").dtype != DType::u8) parts.fail("part \"image\" is not u8");
  }
  void apply(Context&, SampleCall& call) const {
    for (uint8_t& pixel : call.pass("image").data<uint8_t>())
      pixel = static_cast<uint8_t>(pixel >> (twice ? 2 : 1));
  }
};

}  // namespace

PLAIT_PLUGIN("acme.halves", "1.0.0", "Apache-2.0", layer<HalveOutputs>("acme.halve"),
             augmenter<HalvePixels>("acme.halve"));
