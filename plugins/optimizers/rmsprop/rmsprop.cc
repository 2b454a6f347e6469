// Steps by the root of a running mean of squared gradients, about their mean where that is wanted.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Factors {
  float alpha, rest, epsilon, rate, momentum, decay;
};

struct Slots {
  float *square, *mean, *velocity;  // mean, velocity: null where there is none
  Slots from(uint64_t begin) const {
    return {square + begin, mean ? mean + begin : nullptr, velocity ? velocity + begin : nullptr};
  }
};

// The step without its rate. The built-in root: std::sqrt, compiled with other options than a PLAIT_FAST
// function, would stay a call in it.
PLAIT_INLINE float scaled(const Factors& f, float d, float& square) {
  square = f.alpha * square + f.rest * (d * d);
  return d / (__builtin_sqrtf(square > 0 ? square : 0) + f.epsilon);
}
// Rounding takes a variance of 0 to either side.
PLAIT_INLINE float centred(const Factors& f, float d, float& square, float& mean) {
  square = f.alpha * square + f.rest * (d * d);
  mean += f.rest * (d - mean);
  const float variance = square - mean * mean;
  return d / (__builtin_sqrtf(variance > 0 ? variance : 0) + f.epsilon);
}

PLAIT_FAST void by_square(float* __restrict w, const float* __restrict g, float* __restrict square,
                          size_t count, Factors f) {
  for (size_t i = 0; i < count; ++i) w[i] -= f.rate * scaled(f, g[i] + f.decay * w[i], square[i]);
}
PLAIT_FAST void by_square_with_momentum(float* __restrict w, const float* __restrict g,
                                        float* __restrict square, float* __restrict velocity, size_t count,
                                        Factors f) {
  for (size_t i = 0; i < count; ++i) {
    velocity[i] = f.momentum * velocity[i] + scaled(f, g[i] + f.decay * w[i], square[i]);
    w[i] -= f.rate * velocity[i];
  }
}
PLAIT_FAST void by_variance(float* __restrict w, const float* __restrict g, float* __restrict square,
                            float* __restrict mean, size_t count, Factors f) {
  for (size_t i = 0; i < count; ++i) w[i] -= f.rate * centred(f, g[i] + f.decay * w[i], square[i], mean[i]);
}
PLAIT_FAST void by_variance_with_momentum(float* __restrict w, const float* __restrict g,
                                          float* __restrict square, float* __restrict mean,
                                          float* __restrict velocity, size_t count, Factors f) {
  for (size_t i = 0; i < count; ++i) {
    velocity[i] = f.momentum * velocity[i] + centred(f, g[i] + f.decay * w[i], square[i], mean[i]);
    w[i] -= f.rate * velocity[i];
  }
}

void update(float* w, const float* g, Slots s, size_t count, const Factors& f) {
  if (s.mean && s.velocity) return by_variance_with_momentum(w, g, s.square, s.mean, s.velocity, count, f);
  if (s.mean) return by_variance(w, g, s.square, s.mean, count, f);
  if (s.velocity) return by_square_with_momentum(w, g, s.square, s.velocity, count, f);
  by_square(w, g, s.square, count, f);
}

struct RmsProp {
  double rate = 0.01, momentum = 0, weight_decay = 0, alpha = 0.99, epsilon = 1e-8;
  bool centered = false;
  static constexpr bool elementwise = true;

  static void describe(Describe<RmsProp>& d) {
    d.doc("steps by the root of a running mean of g^2, or of its variance, with momentum");
    d.details(
        "g = g + weight_decay w (not of biases and scales); s = alpha s + (1 - alpha) g^2;\n"
        "x = g / (sqrt(s) + epsilon); centered: a = alpha a + (1 - alpha) g, x = g / (sqrt(s - a^2) + "
        "epsilon);\n"
        "v = momentum v + x; w = w - rate v.\n"
        "Source: Tieleman, Hinton 2012, lecture 6.5; centered: Graves 2013, equations 38 - 45; in the form "
        "of PyTorch's RMSprop.");
    d.field("rate", &RmsProp::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("momentum", &RmsProp::momentum)
        .doc("share of the last step that goes on")
        .at_least(0)
        .below(1)
        .runtime();
    d.field("weight_decay", &RmsProp::weight_decay)
        .doc("pull of the weights towards 0")
        .range(0, 1e6)
        .runtime();
    d.field("alpha", &RmsProp::alpha).doc("memory of the mean square").at_least(0).below(1);
    d.field("epsilon", &RmsProp::epsilon).doc("keeps steps small where gradients vanish").above(0).at_most(1);
    d.field("centered", &RmsProp::centered).doc("by the squares about the mean gradient");
  }
  void open(Context&) { has_velocity_ = momentum > 0; }
  void slots(OptimizerSlots& s) const {
    s.slot("square").reduce(Reduce::mean64);
    if (centered) s.slot("mean").reduce(Reduce::mean32);
    if (momentum > 0) s.slot("velocity").reduce(Reduce::mean32);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f{.alpha = static_cast<float>(alpha),
                    .rest = static_cast<float>(1 - alpha),
                    .epsilon = static_cast<float>(epsilon),
                    .rate = static_cast<float>(rate),
                    .momentum = static_cast<float>(momentum),
                    .decay = static_cast<float>(call.decay() ? weight_decay : 0)};
    const Slots slots{call.slot(0).data(), centered ? call.slot(1).data() : nullptr,
                      has_velocity_ ? call.slot(centered ? 2 : 1).data() : nullptr};
    float* const w = call.weights.data();
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w + begin, call.gradients.data() + begin, slots.from(begin), end - begin, f);
    });
  }

 private:
  bool has_velocity_ = false;  // by the momentum in the file, not by what a schedule makes of it
};

}  // namespace

PLAIT_PLUGIN("plait.rmsprop", "1.0.0", "Apache-2.0", optimizer<RmsProp>("plait.rmsprop"));
