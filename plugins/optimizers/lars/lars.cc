// Layerwise adaptive rate scaling: every parameter has a rate by the lengths of its weights and gradient.
#include "lars.h"

#include <array>
#include <cmath>

using namespace plait::sdk;

namespace optimizers {
namespace {

constexpr size_t kGrain = 16384;  // elements in a piece of work

// In lanes, so that the loop is vectorised and its order is the same everywhere.
PLAIT_FAST double sum_of_squares(const float* x, size_t count) {
  constexpr size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += static_cast<double>(x[i + lane]) * static_cast<double>(x[i + lane]);
  for (; i < count; ++i) sums[i % kLanes] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
}

// The rate of a parameter may be beyond the numbers of f32 where its gradient is tiny.
// Source: You, Gitman, Ginsburg 2017, algorithm 1.
PLAIT_FAST void update(float* w, const float* g, float* v, size_t count, double rate, float decay,
                       float momentum) {
  for (size_t i = 0; i < count; ++i) {
    v[i] = momentum * v[i] + static_cast<float>(rate * static_cast<double>(g[i] + decay * w[i]));
    w[i] -= v[i];
  }
}

struct LarsOnHost : Lars {
  void step(Context& c, const OptimizerCall& call) const {
    const double decay = call.decay() ? weight_decay : 0;
    const double scaled = rate * local_rate(call, decay);
    float* w = call.weights.data();
    const float* g = call.gradients.data();
    float* v = call.slot(0).data();
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      update(w + begin, g + begin, v + begin, end - begin, scaled, static_cast<float>(decay),
             static_cast<float>(momentum));
    });
  }

 private:
  double local_rate(const OptimizerCall& call, double decay) const {
    if (!call.decay()) return 1;
    const double weights = std::sqrt(sum_of_squares(call.weights.data(), call.count));
    const double gradients = std::sqrt(sum_of_squares(call.gradients.data(), call.count));
    if (weights == 0 || gradients == 0) return 1;
    return trust * weights / (gradients + decay * weights);
  }
};

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.lars", "1.0.0", "Apache-2.0", optimizer<optimizers::LarsOnHost>("plait.lars"));
