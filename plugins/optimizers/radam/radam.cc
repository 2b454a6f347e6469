// Adam whose first steps, before the mean square is known well, are those of plain momentum.
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

PLAIT_FAST void adaptive(float* __restrict w, const float* __restrict g, float* __restrict m,
                         float* __restrict v, size_t count, MomentFactors f) {
  for (size_t i = 0; i < count; ++i) {
    next_moments(f, g[i], w[i], m[i], v[i]);
    w[i] = moment_step(f, w[i], m[i], v[i]);
  }
}

PLAIT_FAST void plain(float* __restrict w, const float* __restrict g, float* __restrict m,
                      float* __restrict v, size_t count, MomentFactors f) {
  for (size_t i = 0; i < count; ++i) {
    next_moments(f, g[i], w[i], m[i], v[i]);
    w[i] -= f.rate * m[i];
  }
}

struct Radam : MomentFields {
  static constexpr bool elementwise = true;

  static void describe(Describe<Radam>& d) {
    d.doc(
        "adam whose steps are as small as its mean square is uncertain, and plain before that is known at "
        "all");
    d.details(
        "g = g + weight_decay w (not of biases and scales); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - "
        "beta2) g^2;\n"
        "n = 2 / (1 - beta2) - 1; n(t) = n - 2 t beta2^t / (1 - beta2^t); s = m / (1 - beta1^t), t = 1, 2, "
        "...\n"
        "where n(t) > 5: w = w - rate r s / (sqrt(v) + epsilon) sqrt(1 - beta2^t),\n"
        "r^2 = (n(t) - 4) (n(t) - 2) n / ((n - 4) (n - 2) n(t)); else: w = w - rate s.\n"
        "Source: Liu et al. 2020, On the Variance of the Adaptive Learning Rate and Beyond, algorithm 2, in "
        "the form of "
        "PyTorch's RAdam.");
    describe_fields(d);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
  }

  void step(Context& c, const OptimizerCall& call) const {
    MomentFactors f(*this, call, Decay::kGradient);
    const double certainty = rectification(call);
    if (certainty > 0) {
      f.rate = static_cast<float>(rate / mean_share(call) * certainty * std::sqrt(square_share(call)));
      f.root2 = 1;
    }
    const Out w = call.weights, m = call.slot(0), v = call.slot(1);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      (certainty > 0 ? adaptive : plain)(w.data() + begin, call.gradients.data() + begin, m.data() + begin,
                                         v.data() + begin, end - begin, f);
    });
  }

 private:
  // 0: the square is not known yet.
  double rectification(const OptimizerCall& call) const {
    const auto t = static_cast<double>(call.updates + 1);
    const double most = 2 / (1 - beta2) - 1;
    const double now = most - 2 * t * steady::power(beta2, call.updates + 1) / square_share(call);
    if (now <= 5) return 0;
    return std::sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.radam", "1.0.0", "Apache-2.0", optimizer<Radam>("plait.radam"));
