// Adam: steps of about the same size for every weight, from running means of the gradient and its square.
#include "adam.h"

using namespace plait::sdk;

namespace optimizers {
namespace {

// Source: see adam.h.
PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict m,
                       float* __restrict v, size_t count, MomentFactors f) {
  for (size_t i = 0; i < count; ++i) {
    next_moments(f, g[i], w[i], m[i], v[i]);
    w[i] = moment_step(f, w[i], m[i], v[i]);
  }
}

struct AdamOnHost : Adam {
  void step(Context& c, const OptimizerCall& call) const {
    const MomentFactors f = factors(call);
    const Out w = call.weights, m = call.slot(0), v = call.slot(1);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, m.data() + begin, v.data() + begin, end - begin,
             f);
    });
  }
};

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.adam", "1.0.0", "Apache-2.0", optimizer<optimizers::AdamOnHost>("plait.adam"));
