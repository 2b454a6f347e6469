// What a thread of add.cu does.
#pragma once
#include <plait/absorbed.hpp>

#include <cstdint>

namespace layers {

// to = a + b; `to` may be either.
struct AddTwo {
  const float *a, *b;
  float* to;
  struct Pair {
    float a, b;
  };
  PLAIT_ANYWHERE Pair load(uint64_t i) const { return {a[i], b[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Pair p) const { to[i] = p.a + p.b; }
};

// dx = dy f'(x), or dx += that, by y = f(x); dx may be dy. y may be null where !f.needs_output().
struct AddUndone {
  plait::sdk::Absorbed f;
  const float *y, *dy;
  float* dx;
  bool adds;
  struct Pair {
    float y, dy;
  };
  PLAIT_ANYWHERE Pair load(uint64_t i) const { return {y ? y[i] : 0.0f, dy[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Pair p) const {
    const float d = p.dy * f.slope(p.y);
    dx[i] = adds ? dx[i] + d : d;
  }
};

}  // namespace layers
