// What the implementations of tanh share: its description. Shapes are ActivationLayer's.
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

namespace layers {

using namespace plait::sdk;

struct Tanh {
  static void describe(Describe<Tanh>& d) {
    d.doc("hyperbolic tangent");
    d.details("y = tanh(x). Shapes: x and y alike, f32.");
  }

  static Activation activation() { return {Activation::Kind::kTanh, 0, 0}; }
};

}  // namespace layers
