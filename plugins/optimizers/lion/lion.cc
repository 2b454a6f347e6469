// Steps of one size for all weights, by the sign of a mean of gradients.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Factors {
  float beta1, beta2, rest1, rest2, rate, keep;
};

PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict m, size_t count,
                       Factors f) {
  for (size_t i = 0; i < count; ++i) {
    const float ahead = f.beta1 * m[i] + f.rest1 * g[i];
    m[i] = f.beta2 * m[i] + f.rest2 * g[i];
    const float sign = ahead > 0 ? 1.0f : ahead < 0 ? -1.0f : ahead;  // 0 and NaN stay
    w[i] = f.keep * w[i] - f.rate * sign;
  }
}

struct Lion {
  double rate = 1e-4, weight_decay = 0, beta1 = 0.9, beta2 = 0.99;
  static constexpr bool elementwise = true;

  static void describe(Describe<Lion>& d) {
    d.doc("steps of `rate` for every weight, by the sign of a mean of gradients");
    d.details(
        "c = beta1 m + (1 - beta1) g; w = w - rate (sign(c) + weight_decay w); m = beta2 m + (1 - beta2) g.\n"
        "Biases and scales do not decay.\n"
        "Source: Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2.");
    d.field("rate", &Lion::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("weight_decay", &Lion::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
    d.field("beta1", &Lion::beta1).doc("share of the mean in the step").at_least(0).below(1);
    d.field("beta2", &Lion::beta2).doc("memory of the mean").at_least(0).below(1);
    d.slot("mean").reduce(Reduce::mean32);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f{.beta1 = static_cast<float>(beta1),
                    .beta2 = static_cast<float>(beta2),
                    .rest1 = static_cast<float>(1 - beta1),
                    .rest2 = static_cast<float>(1 - beta2),
                    .rate = static_cast<float>(rate),
                    .keep = static_cast<float>(1 - rate * (call.decay() ? weight_decay : 0))};
    const Out w = call.weights, m = call.slot(0);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, m.data() + begin, end - begin, f);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.lion", "1.0.0", "Apache-2.0", optimizer<Lion>("plait.lion"));
