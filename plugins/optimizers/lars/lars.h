// What the implementations of lars share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace optimizers {

using namespace plait::sdk;

struct Lars {
  double rate = 1, trust = 0.001, momentum = 0.9, weight_decay = 0;
  static constexpr bool plain = true;

  static void describe(Describe<Lars>& d) {
    d.doc("steps in proportion to each parameter's length, with momentum");
    d.details(
        "l = trust |w| / (|g| + weight_decay |w|), of each parameter by itself;\n"
        "v = momentum v + rate l (g + weight_decay w); w = w - v.\n"
        "l = 1 and no weight_decay for biases and scales; l = 1 where |w| or |g| is 0.\n"
        "Source: You, Gitman, Ginsburg 2017, Large Batch Training of Convolutional Networks, algorithm 1.");
    d.field("rate", &Lars::rate).doc("size of a step").range(0, 1000).runtime();
    d.field("trust", &Lars::trust).doc("share of its length by which a parameter moves").above(0).at_most(1);
    d.field("momentum", &Lars::momentum)
        .doc("share of the last step that goes on")
        .at_least(0)
        .below(1)
        .runtime();
    d.field("weight_decay", &Lars::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
    d.slot("velocity").reduce(Reduce::mean32);
  }
};

}  // namespace optimizers
