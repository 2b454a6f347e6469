// What the implementations of tanh share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

namespace layers {

using namespace plait::sdk;

struct Tanh {
  static constexpr bool in_place = true;

  static void describe(Describe<Tanh>& d) {
    d.doc("hyperbolic tangent");
    d.details("y = tanh(x). Shapes: x and y alike, f32.");
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
    s.is_epilogue("tanh");
  }

  static Activation activation() { return {Activation::Kind::kTanh, 0, 0}; }
};

}  // namespace layers
