// What the implementations of sam share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace optimizers {

using namespace plait::sdk;

struct Sam {
  double rho = 0.05, rate = 0.01, momentum = 0.9, weight_decay = 0;
  static constexpr bool elementwise = true;

  static void describe(Describe<Sam>& d) {
    d.doc("gradient descent with momentum by the gradient at w + rho g / |g|");
    d.details(
        "e = rho g(w) / |g(w)|, |g| over all parameters together; d = g(w + e) + weight_decay w (no decay "
        "for\n"
        "biases and scales); v = momentum v + d; w = w - rate v.\n"
        "Source: Foret, Kleiner, Mobahi, Neyshabur 2021, Sharpness-Aware Minimization, algorithm 1 with p = "
        "2.");
    d.field("rho", &Sam::rho).doc("distance to the weights whose gradient is taken").range(0, 1e6).runtime();
    d.field("rate", &Sam::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("momentum", &Sam::momentum)
        .doc("share of the last step that goes on")
        .at_least(0)
        .below(1)
        .runtime();
    d.field("weight_decay", &Sam::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
    d.slot("velocity").reduce(Reduce::mean32);
  }
};

}  // namespace optimizers
