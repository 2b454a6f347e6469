// Adam by the largest gradient of late in place of the root of their mean square.
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Factors {
  float beta1, beta2, rest1, rate, epsilon, decay;
};

PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict m,
                       float* __restrict u, size_t count, Factors f) {
  for (size_t i = 0; i < count; ++i) {
    const float d = g[i] + f.decay * w[i];
    const float size = (d < 0 ? -d : d) + f.epsilon, kept = f.beta2 * u[i];
    m[i] = f.beta1 * m[i] + f.rest1 * d;
    u[i] = kept > size ? kept : size;  // NaN in d stays
    w[i] -= f.rate * m[i] / u[i];
  }
}

struct Adamax : MomentFields {
  static constexpr bool elementwise = true;
  Adamax() { rate = 0.002; }

  static void describe(Describe<Adamax>& d) {
    d.doc("adam by the largest gradient of late, in place of the root of their mean square");
    d.details(
        "g = g + weight_decay w (not of biases and scales); m = beta1 m + (1 - beta1) g;\n"
        "u = max(beta2 u, |g| + epsilon); w = w - rate / (1 - beta1^t) m / u, t = 1, 2, ...\n"
        "Source: Kingma, Ba 2015, algorithm 2; epsilon as in PyTorch's Adamax.");
    describe_fields(d);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("largest").reduce(Reduce::max);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f{.beta1 = static_cast<float>(beta1),
                    .beta2 = static_cast<float>(beta2),
                    .rest1 = static_cast<float>(1 - beta1),
                    .rate = static_cast<float>(rate / mean_share(call)),
                    .epsilon = static_cast<float>(epsilon),
                    .decay = static_cast<float>(decay_of(call))};
    const Out w = call.weights, m = call.slot(0), u = call.slot(1);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, m.data() + begin, u.data() + begin, end - begin,
             f);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.adamax", "1.0.0", "Apache-2.0", optimizer<Adamax>("plait.adamax"));
