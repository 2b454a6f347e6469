// What the implementations of batch_norm share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

struct BatchNorm {
  static constexpr bool two_axes = true;
  double momentum = 0.1, epsilon = 1e-5;
  bool adapt_frozen = false;
  std::string implementation = "auto";

  static void describe(Describe<BatchNorm>& d) {
    d.doc("normalizes every channel over the batch, then scales and shifts it");
    d.details(
        "y = weight (x - mean) / sqrt(variance + epsilon) + bias; in evaluation, and frozen, by the running "
        "statistics.\n"
        "Shapes: x and y [N, ..., C] f32 or bf16, of which up to two axes between N and C may vary:\n"
        "statistics are of the places that samples have. Parameters: weight [C], bias [C]. Buffers: mean "
        "[C],\n"
        "variance [C] (unbiased).\n"
        "Source: Ioffe, Szegedy 2015.");
    d.field("momentum", &BatchNorm::momentum).doc("share of the batch in the running statistics").range(0, 1);
    d.field("epsilon", &BatchNorm::epsilon).doc("added to the variance").above(0);
    d.field("adapt_frozen", &BatchNorm::adapt_frozen)
        .doc("frozen, goes on to normalize by the batch and to follow it");
    d.field("implementation", &BatchNorm::implementation)
        .doc("whose loops train on the host; auto: own ones")
        .choices({"auto", "onednn", "own"});
  }
  static void examples(Examples& e) {
    e.add().couples_samples_in_training();
    e.add("implementation: \"onednn\"").couples_samples_in_training();
  }

  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]");
    p.output("y", "as x");
    p.parameter("weight", "[C]").doc("scale");
    p.parameter("bias", "[C]").doc("shift");
    p.buffer("mean", "[C]").doc("running mean");
    p.buffer("variance", "[C]").doc("running variance, unbiased");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    const bool is_real = x.dtype() == DType::f32 || x.dtype() == DType::bf16;
    if (!is_real || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
    if (x.dtype() == DType::bf16 && implementation == "onednn")
      s.fail("input is ", x, ", and implementation: onednn normalizes f32");
    for (const int axis : {0, x.rank() - 1})
      if (x.varies(axis)) s.fail("axis ", axis, " of input ", x, " varies, wanted axes of places");
    if (x.variable_axis() >= 0 && implementation == "onednn")
      s.fail("axis ", x.variable_axis(),
             " of the input varies and implementation is \"onednn\", which has no ",
             "places left out; wanted fixed extents, or \"own\"");
    const int64_t channels = x.shape(-1);
    s.output_like(0);
    s.weight("weight", {channels}).init("ones").no_decay();
    s.bias("bias", channels);
    s.buffer("mean", {channels}).reduce(Reduce::mean64);
    s.buffer("variance", {channels}).init("ones").reduce(Reduce::variance);
    s.measures_buffers();
    for (const char* name : {"relu", "tanh", "sigmoid", "linear", PLAIT_EPILOGUE_FUNCTIONS})
      s.accepts_epilogue(name);
  }

  // What a running statistic becomes, by its share of the batch's. Measured, it is the batch's whatever it
  // was.
  static float followed(double running, double batch, double share) {
    return static_cast<float>(share < 1 ? (1 - share) * running + share * batch : batch);
  }
  double share(const LayerCall& call) const { return call.measures() ? 1 : momentum; }

  struct Kernel;  // batch_norm.cc: the host's
};

}  // namespace layers
