// Layer normalization. Source: Ba, Kiros, Hinton 2016, equations 3 and 4.
#include <plait/onednn.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <optional>

#include "onednn.hpp"

namespace {

using namespace plait::sdk;

struct LayerNorm {
  static constexpr bool two_axes = true;
  static constexpr int kMostTogether = 4;
  int64_t axes = 0;
  double epsilon = 1e-5;
  bool affine = true;

  static void describe(Describe<LayerNorm>& d) {
    d.doc("normalizes each sample, or each place's channels, by itself, then scales and shifts");
    d.details(
        "y = weight (x - mean) / sqrt(variance + epsilon) + bias, mean and variance over the last `axes` "
        "axes, in training and in evaluation.\n"
        "Shapes: x and y [N, ...] f32; up to two of the axes between N and those that are normalized may "
        "vary. Parameters, where affine: weight and bias of the extents of the last `axes` axes.\n"
        "Source: Ba, Kiros, Hinton 2016.");
    d.field("axes", &LayerNorm::axes)
        .doc("how many last axes are normalized together; 0: all but the batch's, 1: a place's channels")
        .range(0, kMostTogether);
    d.field("epsilon", &LayerNorm::epsilon).doc("added to the variance").above(0);
    d.field("affine", &LayerNorm::affine).doc("whether to scale and shift by what is learned");
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ...]");
    p.output("y", "as x");
    p.parameter("weight", "[extents of the last axes]").doc("scale, where affine");
    p.parameter("bias", "[extents of the last axes]").doc("shift, where affine");
  }

  int together(int rank) const { return axes == 0 ? rank - 1 : static_cast<int>(axes); }
  int64_t columns(Spec x) const {
    Checked count = 1;
    for (int axis = x.rank() - together(x.rank()); axis < x.rank(); ++axis) count = count * x.shape(axis);
    return count.value();
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ...]");
    if (together(x.rank()) >= x.rank())
      s.fail("axes is ", axes, " and the input ", x, " has ", x.rank() - 1, " after the batch's");
    const int first = x.rank() - together(x.rank());
    for (int axis = 0; axis < x.rank(); ++axis)
      if (x.varies(axis) && (axis == 0 || axis >= first))
        s.fail("axis ", axis, " of input ", x, " varies, wanted fixed extents of what is normalized together",
               axis > 0 && axis < x.rank() - 1 ? " (axes: 1 normalizes the channels of each place)" : "");
    if (columns(x) == 1) s.fail("input is ", x, ": one number is its own mean; wanted several, or more axes");
    s.output_like(0);
    if (affine) parameters(s, x, first);
  }

  struct Kernel;

 private:
  // Extents are given as a list of as many as there are axes.
  static void parameters(LayerShapes& s, Spec x, int first) {
    const auto n = [&](int i) { return x.shape(first + i); };
    const auto add = [&](std::initializer_list<int64_t> shape) {
      s.weight("weight", shape).init("ones").no_decay();
      s.weight("bias", shape).no_decay();
    };
    switch (x.rank() - first) {
      case 1:
        return add({n(0)});
      case 2:
        return add({n(0), n(1)});
      case 3:
        return add({n(0), n(1), n(2)});
      case 4:
        return add({n(0), n(1), n(2), n(3)});
      default:
        s.fail("input is ", x, ": at most ", kMostTogether, " axes are normalized together");
    }
  }
};

struct LayerNorm::Kernel {
  std::optional<LayerNormOneDnn> onednn;  // none: an empty batch

  Kernel(const LayerNorm& config, Context&, const LayerRequest& r, LayerNeeds& n) {
    n.backward_reads(Reads::inputs);
    if (r.input().size() == 0) return;
    const int64_t columns = config.columns(r.input());
    onednn.emplace(LayerNormShape{.rows = static_cast<int64_t>(r.input().size()) / columns,
                                  .columns = columns,
                                  .epsilon = config.epsilon,
                                  .affine = config.affine,
                                  .training = r.training()});
    n.workspace(onednn->workspace_bytes());
    n.saved(onednn->saved_bytes());
  }

  void forward(Context&, const LayerCall& call) const {
    if (onednn) onednn->forward(call);
  }
  void backward(Context&, const LayerCall& call) const {
    if (onednn) onednn->backward(call);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.layer_norm", "1.0.0", "Apache-2.0", layer<LayerNorm>("plait.layer_norm"),
             numerics(&onednn_facts));
