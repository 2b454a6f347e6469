// Adam whose steps never grow because squares are forgotten.
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict m,
                       float* __restrict v, float* __restrict largest, size_t count, MomentFactors f) {
  for (size_t i = 0; i < count; ++i) {
    next_moments(f, g[i], w[i], m[i], v[i]);
    largest[i] = largest[i] > v[i] ? largest[i] : v[i];
    w[i] = moment_step(f, w[i], m[i], largest[i]);
  }
}

struct Amsgrad : MomentFields {
  static constexpr bool elementwise = true;

  static void describe(Describe<Amsgrad>& d) {
    d.doc("adam by the largest mean square so far: a step never grows because squares are forgotten");
    d.details(
        "g = g + weight_decay w (not of biases and scales); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - "
        "beta2) g^2;\n"
        "u = max(u, v); w = w - rate (m / (1 - beta1^t)) / (sqrt(u / (1 - beta2^t)) + epsilon), t = 1, 2, "
        "...\n"
        "Source: Reddi, Kale, Kumar 2018, algorithm 2, with corrected moments as PyTorch's "
        "Adam(amsgrad=True).");
    describe_fields(d);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
    d.slot("largest_square").reduce(Reduce::max);  // no less than any shard's square, so than their mean
  }

  void step(Context& c, const OptimizerCall& call) const {
    const MomentFactors f(*this, call, Decay::kGradient);
    const Out w = call.weights, m = call.slot(0), v = call.slot(1), largest = call.slot(2);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, m.data() + begin, v.data() + begin,
             largest.data() + begin, end - begin, f);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.amsgrad", "1.0.0", "Apache-2.0", optimizer<Amsgrad>("plait.amsgrad"));
