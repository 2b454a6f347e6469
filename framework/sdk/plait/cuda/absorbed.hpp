// An absorbed function over all elements, for gpu::map. Threads: [any]
#pragma once
#include <plait/absorbed.hpp>
#include <plait/cuda/divide.hpp>

namespace plait::sdk::gpu {

// y = f(x); x and y may be the same memory.
struct Apply {
  Absorbed f;
  const float* x;
  float* y;
  PLAIT_ANYWHERE float load(uint64_t i) const { return x[i]; }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const { y[i] = f.apply(value); }
};

// dx = dy f'(x), by y = f(x); dy and dx may be the same memory. y may be null where !f.needs_output().
struct Undo {
  Absorbed f;
  const float *y, *dy;
  float* dx;
  struct Pair {
    float y, dy;
  };
  PLAIT_ANYWHERE Pair load(uint64_t i) const { return {y ? y[i] : 0.0f, dy[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Pair p) const { dx[i] = p.dy * f.slope(p.y); }
};

// y[r, column] = f(y[r, column] + bias[column]); bias may be null.
struct AddBias {
  Absorbed f;
  const float* bias;
  uint64_t columns;
  float* y;
  PLAIT_ANYWHERE float load(uint64_t i) const { return y[i]; }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const {
    y[i] = f.apply(bias ? value + bias[divide(i, columns).remainder] : value);
  }
};

}  // namespace plait::sdk::gpu
