// A step of optimizers by running moments on CUDA devices: the host's arithmetic (<plait/moments.hpp>), for
// gpu::map.
// Threads: [any]
#pragma once
#include <plait/anywhere.hpp>
#include <plait/moments.hpp>

#include <cmath>

namespace plait::sdk::gpu {

struct MomentStep {
  MomentFactors f;
  const float* g;
  float *w, *m, *v;

  struct Element {
    float g, w, m, v;
  };
  PLAIT_ANYWHERE Element load(uint64_t i) const { return {g[i], w[i], m[i], v[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Element e) const {
    const float d = e.g + f.decay * e.w;
    m[i] = e.m = f.beta1 * e.m + f.rest1 * d;
    v[i] = e.v = f.beta2 * e.v + f.rest2 * (d * d);
    w[i] = f.keep * e.w - f.rate * e.m / (sqrtf(e.v > 0 ? e.v : 0) * f.root2 + f.epsilon);
  }
};

}  // namespace plait::sdk::gpu
