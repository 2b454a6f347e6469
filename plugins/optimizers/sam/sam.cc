// Sharpness-aware minimization: gradient descent with the gradient at weights where the loss is larger.
#include "sam.h"

#include <cmath>

using namespace plait::sdk;

namespace optimizers {
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

struct SamOnHost : Sam {
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
}  // namespace optimizers

PLAIT_PLUGIN("plait.sam", "1.0.0", "Apache-2.0", optimizer<optimizers::SamOnHost>("plait.sam"));
