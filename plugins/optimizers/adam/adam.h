// What the implementations of adam share: its fields and shapes.
#pragma once
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

namespace optimizers {

using namespace plait::sdk;

struct Adam : MomentFields {
  static constexpr bool elementwise = true;

  static void describe(Describe<Adam>& d) {
    d.doc("steps of about `rate` for every weight, by running means of g and g^2");
    d.details(
        "g = g + weight_decay w (not of biases and scales); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - "
        "beta2) g^2;\n"
        "w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = 1, 2, ...\n"
        "For decay of the weights themselves: adamw.\n"
        "Source: Kingma, Ba 2015, algorithm 1.");
    describe_fields(d);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
  }

  // Of this step.
  MomentFactors factors(const OptimizerCall& call) const { return {*this, call, Decay::kGradient}; }
};

}  // namespace optimizers
