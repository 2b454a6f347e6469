// Sharpness-aware minimization: gradient descent with the gradient at weights where the loss is larger.
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

constexpr size_t kGrain = 16384;  // elements in a piece of work

PLAIT_FAST void climb(float* w, const float* g, size_t count, float share) {
  for (size_t i = 0; i < count; ++i) w[i] += share * g[i];
}

PLAIT_FAST void descend(float* w, const float* g, float* v, size_t count, float rate, float decay,
                        float momentum) {
  for (size_t i = 0; i < count; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

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

  // The squared length of the gradient.
  double observe(Context&, const OptimizerCall& call) const {
    double sum = 0;
    for (const float g : call.gradients) sum += static_cast<double>(g) * static_cast<double>(g);
    return sum;
  }
  void move(Context& c, const OptimizerCall& call) const {
    if (call.observed == 0) return;
    const auto share = static_cast<float>(rho / std::sqrt(call.observed));
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      climb(call.weights.data() + begin, call.gradients.data() + begin, end - begin, share);
    });
  }
  void step(Context& c, const OptimizerCall& call) const {
    const auto decay = static_cast<float>(call.decay() ? weight_decay : 0);
    float* v = call.slot(0).data();
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      descend(call.weights.data() + begin, call.gradients.data() + begin, v + begin, end - begin,
              static_cast<float>(rate), decay, static_cast<float>(momentum));
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.sam", "1.0.0", "Apache-2.0", optimizer<Sam>("plait.sam"));
