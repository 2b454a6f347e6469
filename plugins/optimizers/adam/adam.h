// What the implementations of adam share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

#include <cmath>

namespace optimizers {

using namespace plait::sdk;

// What one step does to every element alike.
struct AdamFactors {
  float beta1, beta2, rest1, rest2, rate, root2, epsilon, decay, keep;  // rest: 1 - beta, rounded once
};

// base^exponent by squaring: the same bits everywhere.
inline double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if (exponent & 1) result *= base;
  }
  return result;
}

struct Adam {
  double rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  bool decoupled = true;
  static constexpr bool elementwise = true;

  static void describe(Describe<Adam>& d) {
    d.doc("steps of about `rate` for every weight, by running means of g and g^2");
    d.details(
        "m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;\n"
        "w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = 1, 2, ...\n"
        "weight_decay: w is first multiplied by 1 - rate weight_decay (decoupled, AdamW), or g grows by "
        "weight_decay w;\n"
        "biases and scales have none.\n"
        "Source: Kingma, Ba 2015; Loshchilov, Hutter 2019.");
    d.field("rate", &Adam::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("beta1", &Adam::beta1).doc("memory of the mean gradient").at_least(0).below(1);
    d.field("beta2", &Adam::beta2).doc("memory of the mean square").at_least(0).below(1);
    d.field("epsilon", &Adam::epsilon).doc("keeps steps small where gradients vanish").above(0).at_most(1);
    d.field("weight_decay", &Adam::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
    d.field("decoupled", &Adam::decoupled).doc("decay the weights themselves, not by way of the gradient");
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
  }

  // Of this step.
  AdamFactors factors(const OptimizerCall& call) const {
    const int64_t t = call.updates + 1;
    const double decay = call.decay() ? weight_decay : 0;
    return {.beta1 = static_cast<float>(beta1),
            .beta2 = static_cast<float>(beta2),
            .rest1 = static_cast<float>(1 - beta1),
            .rest2 = static_cast<float>(1 - beta2),
            .rate = static_cast<float>(rate / (1 - power(beta1, t))),
            .root2 = static_cast<float>(1 / std::sqrt(1 - power(beta2, t))),
            .epsilon = static_cast<float>(epsilon),
            .decay = static_cast<float>(decoupled ? 0 : decay),
            .keep = static_cast<float>(decoupled ? 1 - rate * decay : 1)};
  }
};

}  // namespace optimizers
