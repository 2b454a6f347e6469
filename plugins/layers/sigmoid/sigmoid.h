// What the implementations of sigmoid share: its description. Shapes are OneDnnElementwise's.
#pragma once
#include <plait/implementation.hpp>
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

namespace layers {

using namespace plait::sdk;

struct Sigmoid {
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Sigmoid>& d) {
    d.doc("logistic function 1 / (1 + e^-x)");
    d.details("y = 1 / (1 + e^-x). Shapes: x and y alike, f32.");
    describe_implementation(d, &Sigmoid::implementation);
  }

  static Activation activation() { return {Activation::Kind::kSigmoid, 0, 0}; }
};

}  // namespace layers
