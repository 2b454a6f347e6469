// Steps that become smaller for a weight by all the gradients that it has had.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Factors {
  float rate, epsilon, decay;
};

// The built-in root: std::sqrt, compiled with other options than this function, would stay a call.
PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict sum, size_t count,
                       Factors f) {
  for (size_t i = 0; i < count; ++i) {
    const float d = g[i] + f.decay * w[i];
    sum[i] += d * d;
    const float squares = sum[i] > 0 ? sum[i] : 0;
    w[i] -= f.rate * d / (__builtin_sqrtf(squares) + f.epsilon);
  }
}

struct Adagrad {
  double rate = 0.01, weight_decay = 0, rate_decay = 0, initial = 0, epsilon = 1e-10;
  static constexpr bool elementwise = true;

  static void describe(Describe<Adagrad>& d) {
    d.doc("each weight's steps by the root of the sum of all its squared gradients");
    d.details(
        "g = g + weight_decay w (not of biases and scales); s = s + g^2, from s = initial;\n"
        "w = w - rate / (1 + (t - 1) rate_decay) g / (sqrt(s) + epsilon), t = 1, 2, ...\n"
        "Source: Duchi, Hazan, Singer 2011, figure 1, diagonal, in the form of PyTorch's Adagrad.");
    d.field("rate", &Adagrad::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("weight_decay", &Adagrad::weight_decay)
        .doc("pull of the weights towards 0")
        .range(0, 1e6)
        .runtime();
    d.field("rate_decay", &Adagrad::rate_decay)
        .doc("the rate is divided by 1 + this at the second step, and so on")
        .range(0, 1e6);
    d.field("initial", &Adagrad::initial).doc("what the sum of squares begins as").range(0, 1e6);
    d.field("epsilon", &Adagrad::epsilon).doc("keeps steps small where gradients vanish").above(0).at_most(1);
  }
  void slots(OptimizerSlots& s) const { s.slot("sum").initial(initial).reduce(Reduce::mean64); }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f{.rate = static_cast<float>(rate / (1 + static_cast<double>(call.updates) * rate_decay)),
                    .epsilon = static_cast<float>(epsilon),
                    .decay = static_cast<float>(call.decay() ? weight_decay : 0)};
    const Out w = call.weights, sum = call.slot(0);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, sum.data() + begin, end - begin, f);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.adagrad", "1.0.0", "Apache-2.0", optimizer<Adagrad>("plait.adagrad"));
