// What an absorbed plait_epilogue says, element by element, in kernels and on the host.
//
// Infinities and NaN are treated as <plait/simd.hpp> does: max(x, 0) of NaN is NaN, of minus infinity 0.
// Threads: [any]
#pragma once
#include <plait/cuda/both.hpp>
#include <plait/simd.hpp>

#include <cmath>

namespace plait::sdk::gpu {

PLAIT_BOTH inline float logistic(float x) { return 1 / (1 + expf(-x)); }

// f(x)
PLAIT_BOTH inline float activate(const Activation& f, float x) {
  switch (f.kind) {
    case Activation::Kind::kIdentity:
      return x;
    case Activation::Kind::kRelu:
      if (f.alpha == 0) return x <= 0 ? 0.0f : x;
      return x > 0 ? x : f.alpha * x;
    case Activation::Kind::kTanh:
      return tanhf(x);
    case Activation::Kind::kSigmoid:
      return logistic(x);
    default:
      return f.alpha * x + f.beta;
  }
}

// The derivative of f where it gave y.
PLAIT_BOTH inline float slope(const Activation& f, float y) {
  switch (f.kind) {
    case Activation::Kind::kIdentity:
      return 1;
    case Activation::Kind::kRelu:
      return y > 0 ? 1.0f : f.alpha;
    case Activation::Kind::kTanh:
      return 1 - y * y;
    case Activation::Kind::kSigmoid:
      return y - y * y;
    default:
      return f.alpha;
  }
}

// y = f(x), elementwise; x and y may be the same memory. For gpu::map.
struct Activate {
  Activation f;
  const float* x;
  float* y;
  PLAIT_BOTH float load(uint64_t i) const { return x[i]; }
  PLAIT_BOTH void store(uint64_t i, float value) const { y[i] = activate(f, value); }
};

// dx = dy f'(y), elementwise; dy and dx may be the same memory. For gpu::map.
struct Undo {
  Activation f;
  const float *y, *dy;
  float* dx;
  struct Pair {
    float y, dy;
  };
  PLAIT_BOTH Pair load(uint64_t i) const { return {y[i], dy[i]}; }
  PLAIT_BOTH void store(uint64_t i, Pair p) const { dx[i] = p.dy * slope(f, p.y); }
};

}  // namespace plait::sdk::gpu
