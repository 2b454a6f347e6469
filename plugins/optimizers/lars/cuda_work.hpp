// What a thread of lars.cu does. Source: see lars.cc.
#pragma once
#include <plait/anywhere.hpp>

#include <cmath>
#include <cstdint>

namespace optimizers {

// The squared lengths of weights and gradient, for gpu::sum_columns of one column.
struct LarsLengths {
  static constexpr unsigned kSums = 2;
  const float *w, *g;
  PLAIT_ANYWHERE void add(uint64_t at, uint64_t, double* sums) const {
    sums[0] += static_cast<double>(w[at]) * static_cast<double>(w[at]);
    sums[1] += static_cast<double>(g[at]) * static_cast<double>(g[at]);
  }
};

// rate l, l by the lengths; 1 where one of them is 0.
struct LarsRate {
  double rate, trust, decay;
  double* to;
  PLAIT_ANYWHERE void operator()(uint64_t, const double* sums) const {
    const double weights = sqrt(sums[0]), gradients = sqrt(sums[1]);
    const bool is_plain = weights == 0 || gradients == 0;
    *to = rate * (is_plain ? 1 : trust * weights / (gradients + decay * weights));
  }
};

struct LarsStep {
  const double* scaled;  // rate l, or null: `rate`
  double rate;
  float decay, momentum;
  const float* g;
  float *w, *v;

  struct Element {
    float g, w, v;
  };
  PLAIT_ANYWHERE Element load(uint64_t i) const { return {g[i], w[i], v[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Element e) const {
    const double by = scaled ? *scaled : rate;
    e.v = momentum * e.v + static_cast<float>(by * static_cast<double>(e.g + decay * e.w));
    v[i] = e.v;
    w[i] = e.w - e.v;
  }
};

}  // namespace optimizers
