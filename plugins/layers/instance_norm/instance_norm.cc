// Instance normalization: each channel of each sample by itself. Source: Ulyanov, Vedaldi, Lempitsky 2016.
#include <plait/group_norm.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct InstanceNorm {
  static constexpr bool two_axes = true;
  double epsilon = 1e-5;
  bool affine = false;

  static void describe(Describe<InstanceNorm>& d) {
    d.doc("normalizes each channel of each sample over its places");
    d.details(
        "y = weight (x - mean) / sqrt(variance + epsilon) + bias, mean and variance over all places of a "
        "sample's channel, in training and in evaluation.\n"
        "Shapes: x and y [N, ..., C] f32, of which up to two axes between N and C may vary: over the places "
        "that a sample has. Parameters, where affine: weight [C], bias [C].\n"
        "Source: Ulyanov, Vedaldi, Lempitsky 2016.");
    d.field("epsilon", &InstanceNorm::epsilon).doc("added to the variance").above(0);
    d.field("affine", &InstanceNorm::affine).doc("whether to scale and shift by what is learned");
  }
  static void examples(Examples& e) {
    e.add().input(DType::f32, {3, 4, 5, 6});
    e.add("affine: true").input(DType::f32, {2, 7, 9});
    e.add("affine: true epsilon: 0.01").input(DType::f32, {2, 3, 2, 2, 17});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]").doc("of several places");
    p.output("y", "as x");
    p.parameter("weight", "[C]").doc("scale, where affine");
    p.parameter("bias", "[C]").doc("shift, where affine");
  }

  GroupNormalizing how() const { return {0, affine, epsilon}; }
  void infer(LayerShapes& s) const { infer_groups(s, how()); }

  struct Kernel : GroupNormKernel {
    Kernel(const InstanceNorm& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : GroupNormKernel(config.how(), r, n) {}
  };
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.instance_norm", "1.0.0", "Apache-2.0",
             layer<layers::InstanceNorm>("plait.instance_norm"));
