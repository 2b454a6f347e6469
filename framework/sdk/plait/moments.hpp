// What optimizers by running moments of the gradient share: their fields, what a step corrects, and the step
// of one element. Optional; sdk.hpp does not include it.
//
//   m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2
//
// Both begin as 0, which makes them too small by the factor 1 - beta^t at step t = 1, 2, ...
// Source: Kingma, Ba 2015, algorithm 1; decay of the weights themselves: Loshchilov, Hutter 2019.
// Threads: [any]
#pragma once
#include <cmath>

#include "sdk/describe.hpp"
#include "sdk/fast.hpp"
#include "sdk/optimizer.hpp"
#include "steady.hpp"

namespace plait::sdk {

struct MomentFields {
  double rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;

  // For describe of an optimizer derived from it. Runtime fields, in this order: rate, weight_decay.
  template <class Self>
  static void describe_fields(Describe<Self>& d) {
    d.field("rate", &Self::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("beta1", &Self::beta1).doc("memory of the mean gradient").at_least(0).below(1);
    d.field("beta2", &Self::beta2).doc("memory of the mean square").at_least(0).below(1);
    d.field("epsilon", &Self::epsilon).doc("keeps steps small where gradients vanish").above(0).at_most(1);
    d.field("weight_decay", &Self::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
  }

  // 1 - beta^t, of the mean and of the square. Above 0.
  double mean_share(const OptimizerCall& call) const { return 1 - steady::power(beta1, call.updates + 1); }
  double square_share(const OptimizerCall& call) const { return 1 - steady::power(beta2, call.updates + 1); }
  // 0 for a bias or a scale.
  double decay_of(const OptimizerCall& call) const { return call.decay() ? weight_decay : 0; }
};

// How a step's weights decay: by way of the gradient, or themselves.
enum class Decay { kGradient, kWeights };

// What one step does to every element alike.
struct MomentFactors {
  float beta1, beta2, rest1, rest2, rate, root2, epsilon, decay, keep;  // rest: 1 - beta, rounded once

  MomentFactors(const MomentFields& o, const OptimizerCall& call, Decay by)
      : beta1(static_cast<float>(o.beta1)),
        beta2(static_cast<float>(o.beta2)),
        rest1(static_cast<float>(1 - o.beta1)),
        rest2(static_cast<float>(1 - o.beta2)),
        rate(static_cast<float>(o.rate / o.mean_share(call))),
        root2(static_cast<float>(1 / std::sqrt(o.square_share(call)))),
        epsilon(static_cast<float>(o.epsilon)),
        decay(static_cast<float>(by == Decay::kGradient ? o.decay_of(call) : 0)),
        keep(static_cast<float>(by == Decay::kWeights ? 1 - o.rate * o.decay_of(call) : 1)) {}
};

// The new moments m and v; v is above or at 0.
PLAIT_INLINE void next_moments(const MomentFactors& f, float g, float w, float& m, float& v) {
  const float d = g + f.decay * w;
  m = f.beta1 * m + f.rest1 * d;
  v = f.beta2 * v + f.rest2 * (d * d);
}

// The new weight. The built-in root: std::sqrt, compiled with other options than a PLAIT_FAST function, would
// stay a call in it.
PLAIT_INLINE float moment_step(const MomentFactors& f, float w, float m, float v) {
  const float mean_square = v > 0 ? v : 0;
  return f.keep * w - f.rate * m / (__builtin_sqrtf(mean_square) * f.root2 + f.epsilon);
}

}  // namespace plait::sdk
