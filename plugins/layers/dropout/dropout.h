// What the implementations of dropout share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

struct Dropout {
  static constexpr bool two_axes = true;
  double rate = 0.5;
  bool rescale = true;

  static void describe(Describe<Dropout>& d) {
    d.doc("drops numbers at random in training, keeps their expectation");
    d.details(
        "Shapes: x and y alike, f32 or bf16. y = 0 with probability rate, else x / (1 - rate); in "
        "evaluation, and "
        "frozen, y = x.");
    d.field("rate", &Dropout::rate).doc("probability of being dropped").at_least(0).below(1);
    d.field("rescale", &Dropout::rescale)
        .doc("divide what is kept by 1 - rate; without it numbers are set to 0 and no more");
  }

  // Set to 0 and no more: Vincent, Larochelle, Bengio, Manzagol 2008.
  static void corrupts(Corruption& c) { c.by("masking", "rate").set("rescale", false); }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 && s.input().dtype() != DType::bf16)
      s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
  }

  struct Kernel;  // dropout.cc: the host's
};

}  // namespace layers
