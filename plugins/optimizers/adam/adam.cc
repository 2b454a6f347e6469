// Adam: steps of about the same size for every weight, from running means of the gradient and its square.
#include "adam.h"

#include <cmath>

using namespace plait::sdk;

namespace optimizers {
namespace {

constexpr size_t kGrain = 16384;  // elements in a piece of work

// The built-in root: std::sqrt, compiled with other options than this function, would stay a call.
// Source: Kingma, Ba 2015, algorithm 1; decoupled decay (keep): Loshchilov, Hutter 2019.
PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict m,
                       float* __restrict v, size_t count, AdamFactors f) {
  for (size_t i = 0; i < count; ++i) {
    const float d = g[i] + f.decay * w[i];
    m[i] = f.beta1 * m[i] + f.rest1 * d;
    v[i] = f.beta2 * v[i] + f.rest2 * (d * d);
    const float mean_square = v[i] > 0 ? v[i] : 0;
    w[i] = f.keep * w[i] - f.rate * m[i] / (__builtin_sqrtf(mean_square) * f.root2 + f.epsilon);
  }
}

struct AdamOnHost : Adam {
  void step(Context& c, const OptimizerCall& call) const {
    const AdamFactors f = factors(call);
    const Out w = call.weights, m = call.slot(0), v = call.slot(1);
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, m.data() + begin, v.data() + begin, end - begin,
             f);
    });
  }
};

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.adam", "1.0.0", "Apache-2.0", optimizer<optimizers::AdamOnHost>("plait.adam"));
