// Adam that looks ahead along its momentum.
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct Factors {
  float beta1, beta2, rest1, rest2, by_gradient, by_mean, root2, epsilon, decay;
};

PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict m,
                       float* __restrict v, size_t count, Factors f) {
  for (size_t i = 0; i < count; ++i) {
    const float d = g[i] + f.decay * w[i];
    m[i] = f.beta1 * m[i] + f.rest1 * d;
    v[i] = f.beta2 * v[i] + f.rest2 * (d * d);
    const float mean_square = v[i] > 0 ? v[i] : 0;
    w[i] -= (f.by_gradient * d + f.by_mean * m[i]) / (__builtin_sqrtf(mean_square) * f.root2 + f.epsilon);
  }
}

struct Nadam : MomentFields {
  double momentum_decay = 0.004;
  static constexpr bool elementwise = true;
  Nadam() { rate = 0.002; }

  static void describe(Describe<Nadam>& d) {
    d.doc("adam with Nesterov's look ahead, by a momentum that grows towards beta1");
    d.details(
        "g = g + weight_decay w (not of biases and scales); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - "
        "beta2) g^2;\n"
        "mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2); M(t) = mu(1) mu(2) ... mu(t);\n"
        "w = w - rate ((1 - mu(t)) / (1 - M(t)) g + mu(t+1) / (1 - M(t+1)) m) / (sqrt(v / (1 - beta2^t)) + "
        "epsilon), "
        "t = 1, 2, ...\n"
        "Source: Dozat 2016, Incorporating Nesterov Momentum into Adam, algorithm 2, in the form of "
        "PyTorch's NAdam.");
    describe_fields(d);
    d.field("momentum_decay", &Nadam::momentum_decay).doc("speed at which the momentum grows").range(0, 1e6);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f = factors(call);
    const Out w = call.weights, m = call.slot(0), v = call.slot(1);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, m.data() + begin, v.data() + begin, end - begin,
             f);
    });
  }

 private:
  struct Momentum {
    double now, next, product;  // mu(t), mu(t+1), M(t)
  };
  // The product is gone through anew, until it no longer differs from 0 beside 1.
  Momentum momentum(int64_t t) const {
    const double share = steady::exp(-momentum_decay * 0.040821994520255166);  // 0.96^momentum_decay
    double product = 1, power_of_share = 1;
    for (int64_t i = 1; i <= t && product > 0x1p-60; ++i) {
      power_of_share *= share;
      product *= beta1 * (1 - 0.5 * power_of_share);
    }
    return {beta1 * (1 - 0.5 * steady::power(share, t)), beta1 * (1 - 0.5 * steady::power(share, t + 1)),
            product};
  }
  Factors factors(const OptimizerCall& call) const {
    const Momentum mu = momentum(call.updates + 1);
    return {.beta1 = static_cast<float>(beta1),
            .beta2 = static_cast<float>(beta2),
            .rest1 = static_cast<float>(1 - beta1),
            .rest2 = static_cast<float>(1 - beta2),
            .by_gradient = static_cast<float>(rate * (1 - mu.now) / (1 - mu.product)),
            .by_mean = static_cast<float>(rate * mu.next / (1 - mu.product * mu.next)),
            .root2 = static_cast<float>(1 / std::sqrt(square_share(call))),
            .epsilon = static_cast<float>(epsilon),
            .decay = static_cast<float>(decay_of(call))};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.nadam", "1.0.0", "Apache-2.0", optimizer<Nadam>("plait.nadam"));
