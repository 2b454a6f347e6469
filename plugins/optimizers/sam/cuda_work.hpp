// What a thread of sam.cu does to an element: the host's arithmetic (sam.cc).
#pragma once
#include <plait/anywhere.hpp>

#include <cstdint>

namespace optimizers {

// For gpu::sum_columns of one column.
struct SamLength {
  static constexpr unsigned kSums = 1;
  const float* g;
  PLAIT_ANYWHERE void add(uint64_t at, uint64_t, double* sums) const {
    sums[0] += static_cast<double>(g[at]) * static_cast<double>(g[at]);
  }
};
struct SamKeep {
  double* to;
  PLAIT_ANYWHERE void operator()(uint64_t, const double* sums) const { *to = sums[0]; }
};

struct SamClimb {
  float share;
  const float* g;
  float* w;
  struct Element {
    float g, w;
  };
  PLAIT_ANYWHERE Element load(uint64_t i) const { return {g[i], w[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Element e) const { w[i] = e.w + share * e.g; }
};

struct SamDescend {
  float rate, decay, momentum;
  const float* g;
  float *w, *v;
  struct Element {
    float g, w, v;
  };
  PLAIT_ANYWHERE Element load(uint64_t i) const { return {g[i], w[i], v[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Element e) const {
    e.v = momentum * e.v + (e.g + decay * e.w);
    v[i] = e.v;
    w[i] = e.w - rate * e.v;
  }
};

}  // namespace optimizers
