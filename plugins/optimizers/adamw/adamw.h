// What the implementations of adamw share: its fields and shapes.
#pragma once
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

namespace optimizers {

using namespace plait::sdk;

struct AdamW : MomentFields {
  static constexpr bool elementwise = true;
  AdamW() { weight_decay = 0.01; }

  static void describe(Describe<AdamW>& d) {
    d.doc("adam whose weights decay by themselves: w = (1 - rate weight_decay) w - step");
    d.details(
        "m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;\n"
        "w = (1 - rate weight_decay) w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = "
        "1, 2, ...\n"
        "Biases and scales do not decay.\n"
        "Source: Loshchilov, Hutter 2019, algorithm 2, where the rate is the schedule's eta too, as in "
        "PyTorch's AdamW.");
    describe_fields(d);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
  }

  // Of this step.
  MomentFactors factors(const OptimizerCall& call) const { return {*this, call, Decay::kWeights}; }
};

}  // namespace optimizers
