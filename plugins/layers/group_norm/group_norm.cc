// Group normalization. Source: Wu, He 2018, equations 1 to 3 and 7.
#include <plait/group_norm.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct GroupNorm {
  static constexpr bool two_axes = true;
  int64_t groups = 32;
  double epsilon = 1e-5;
  bool affine = true;

  static void describe(Describe<GroupNorm>& d) {
    d.doc("normalizes groups of channels of each sample, then scales and shifts each channel");
    d.details(
        "y = weight (x - mean) / sqrt(variance + epsilon) + bias, mean and variance over all places and the "
        "channels of a group, in training and in evaluation. Group g has channels [g C / groups, (g + 1) C / "
        "groups).\n"
        "Shapes: x and y [N, ..., C] f32, of which up to two axes between N and C may vary: over the places "
        "that a sample has. Parameters, where affine: weight [C], bias [C].\n"
        "Source: Wu, He 2018.");
    d.field("groups", &GroupNorm::groups)
        .doc("parts of equally many channels; 1: all together")
        .range(1, kMostChannels);
    d.field("epsilon", &GroupNorm::epsilon).doc("added to the variance").above(0);
    d.field("affine", &GroupNorm::affine).doc("whether to scale and shift by what is learned");
  }
  static void examples(Examples& e) {
    e.add("groups: 2").input(DType::f32, {3, 4, 5, 6});
    e.add("groups: 3 affine: false").input(DType::f32, {2, 7, 9});
    e.add("groups: 4 epsilon: 0.01").input(DType::f32, {2, 40});
    e.add("groups: 1").input(DType::f32, {2, 3, 2, 2, 5});
    e.add().input(DType::f32, {2, 3, 3, 64});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]");
    p.output("y", "as x");
    p.parameter("weight", "[C]").doc("scale, where affine");
    p.parameter("bias", "[C]").doc("shift, where affine");
  }

  GroupNormalizing how() const { return {groups, affine, epsilon}; }
  void infer(LayerShapes& s) const { infer_groups(s, how()); }

  struct Kernel : GroupNormKernel {
    Kernel(const GroupNorm& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : GroupNormKernel(config.how(), r, n) {}
  };
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.group_norm", "1.0.0", "Apache-2.0", layer<layers::GroupNorm>("plait.group_norm"));
