// What a thread of add.cu does.
#pragma once
#include <plait/anywhere.hpp>

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

}  // namespace layers
