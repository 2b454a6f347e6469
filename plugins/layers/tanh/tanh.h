// What the implementations of tanh share: its description. Shapes are OneDnnElementwise's.
#pragma once
#include <plait/implementation.hpp>
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

namespace layers {

using namespace plait::sdk;

struct Tanh {
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Tanh>& d) {
    d.doc("hyperbolic tangent");
    d.details("y = tanh(x). Shapes: x and y alike, f32.");
    describe_implementation(d, &Tanh::implementation);
  }

  static Activation activation() { return {Activation::Kind::kTanh, 0, 0}; }
};

}  // namespace layers
