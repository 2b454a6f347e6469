// Adam whose step for each parameter is as long as a share of the parameter: for large batches.
#include <plait/moments.hpp>
#include <plait/sdk.hpp>

#include <array>
#include <cmath>

using namespace plait::sdk;

namespace {

struct Factors {
  MomentFactors moments;
  float mean, decay;  // mean: 1 / (1 - beta1^t)
};

PLAIT_INLINE float direction(const Factors& f, float w, float m, float v) {
  const float mean_square = v > 0 ? v : 0;
  return f.mean * m / (__builtin_sqrtf(mean_square) * f.moments.root2 + f.moments.epsilon) + f.decay * w;
}

// Squared lengths, in lanes: the loop is vectorised, and its order is the same everywhere.
constexpr size_t kLanes = 8;
struct Lengths {
  std::array<double, kLanes> weights{}, directions{};
};
double sum_of(const std::array<double, kLanes>& lanes) {
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

PLAIT_INLINE void move_moments(float w, float g, float& m, float& v, const Factors& f, double& ww,
                               double& dd) {
  next_moments(f.moments, g, w, m, v);
  const double d = direction(f, w, m, v);
  ww += static_cast<double>(w) * static_cast<double>(w);
  dd += d * d;
}

PLAIT_FAST void move_all_moments(const float* __restrict w, const float* __restrict g, float* __restrict m,
                                 float* __restrict v, size_t count, Factors f, Lengths& lengths) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      move_moments(w[i + lane], g[i + lane], m[i + lane], v[i + lane], f, lengths.weights[lane],
                   lengths.directions[lane]);
  for (size_t lane = 0; i < count; ++i, ++lane)
    move_moments(w[i], g[i], m[i], v[i], f, lengths.weights[lane], lengths.directions[lane]);
}

PLAIT_FAST void move_weights(float* __restrict w, const float* __restrict m, const float* __restrict v,
                             size_t count, Factors f, float rate) {
  for (size_t i = 0; i < count; ++i) w[i] -= rate * direction(f, w[i], m[i], v[i]);
}

struct Lamb : MomentFields {
  static constexpr bool plain = true;
  Lamb() { epsilon = 1e-6; }

  static void describe(Describe<Lamb>& d) {
    d.doc("adam's steps, each as long as a share of its parameter");
    d.details(
        "m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;\n"
        "s = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay w, t = 1, 2, ...;\n"
        "w = w - rate |w| / |s| s, lengths of each parameter by itself; |w| / |s| is 1 where one of them is "
        "0.\n"
        "For biases and scales it is 1, and they do not decay.\n"
        "Source: You et al. 2020, Large Batch Optimization for Deep Learning, algorithm 2 with phi(z) = z.");
    describe_fields(d);
    d.slot("mean").reduce(Reduce::mean32);
    d.slot("square").reduce(Reduce::mean64);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f{MomentFactors(*this, call, Decay::kWeights), static_cast<float>(1 / mean_share(call)),
                    static_cast<float>(decay_of(call))};
    const Out w = call.weights, m = call.slot(0), v = call.slot(1);
    Lengths lengths;
    move_all_moments(w.data(), call.gradients.data(), m.data(), v.data(), call.count, f, lengths);
    const auto scaled = static_cast<float>(rate * (call.decay() ? trust(lengths) : 1));
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      move_weights(w.data() + begin, m.data() + begin, v.data() + begin, end - begin, f, scaled);
    });
  }

 private:
  static double trust(const Lengths& lengths) {
    const double weights = std::sqrt(sum_of(lengths.weights)),
                 directions = std::sqrt(sum_of(lengths.directions));
    return weights == 0 || directions == 0 ? 1 : weights / directions;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.lamb", "1.0.0", "Apache-2.0", optimizer<Lamb>("plait.lamb"));
