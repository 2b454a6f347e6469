// What a thread of muon.cu does to an element: the host's arithmetic (muon.cc), for gpu::map and
// gpu::sum_columns.
#pragma once
#include <plait/cuda/divide.hpp>

#include <cmath>

namespace optimizers {

// v = momentum v + g; d = g + ahead v, or v where ahead is 0.
struct MuonDirection {
  float momentum, ahead;
  const float* g;
  float *v, *d;
  struct Element {
    float g, v;
  };
  PLAIT_ANYWHERE Element load(uint64_t i) const { return {g[i], v[i]}; }
  PLAIT_ANYWHERE void store(uint64_t i, Element e) const {
    v[i] = e.v = momentum * e.v + e.g;
    d[i] = ahead == 0 ? e.v : e.g + ahead * e.v;
  }
};

struct MuonLength {
  static constexpr unsigned kSums = 1;
  const float* x;
  PLAIT_ANYWHERE void add(uint64_t at, uint64_t, double* sums) const {
    sums[0] += static_cast<double>(x[at]) * static_cast<double>(x[at]);
  }
};
struct MuonKeepRoot {
  double* to;
  PLAIT_ANYWHERE void operator()(uint64_t, const double* sums) const { *to = sqrt(sums[0]); }
};

// [rows, columns] of length 1, or [columns, rows] where `turn`. What has no length stays as it is.
struct MuonUnit {
  uint64_t rows, columns;
  bool turn;
  const double* length;
  const float* from;
  float* to;
  PLAIT_ANYWHERE float load(uint64_t i) const {
    if (!turn) return from[i];
    const auto at = plait::sdk::gpu::divide(i, rows);
    return from[at.remainder * columns + at.quotient];
  }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const {
    to[i] = *length == 0 ? value : static_cast<float>(value / *length);
  }
};

// w = keep w - rate d; d lies as [columns, rows] where `turn`.
struct MuonMove {
  float rate, keep;
  uint64_t rows, columns;
  bool turn;
  const float* d;
  float* w;
  struct Element {
    float d, w;
  };
  PLAIT_ANYWHERE Element load(uint64_t i) const {
    if (!turn) return {d[i], w[i]};
    const auto at = plait::sdk::gpu::divide(i, columns);
    return {d[at.remainder * rows + at.quotient], w[i]};
  }
  PLAIT_ANYWHERE void store(uint64_t i, Element e) const { w[i] = keep * e.w - rate * e.d; }
};

}  // namespace optimizers
