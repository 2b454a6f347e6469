// What the implementations of sigmoid share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

namespace layers {

using namespace plait::sdk;

struct Sigmoid {
  static constexpr bool in_place = true;

  static void describe(Describe<Sigmoid>& d) {
    d.doc("logistic function 1 / (1 + e^-x)");
    d.details("y = 1 / (1 + e^-x). Shapes: x and y alike, f32.");
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
    s.is_epilogue("sigmoid");
  }

  static Activation activation() { return {Activation::Kind::kSigmoid, 0, 0}; }
};

}  // namespace layers
