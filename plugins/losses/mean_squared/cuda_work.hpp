// What a thread of mean_squared.cu does, for gpu::sum_columns of one column.
#pragma once
#include <plait/anywhere.hpp>

#include <cstdint>

namespace losses {

// Adds (p - t)^2; dp = factor (p - t), where dp is not null. V: the target's type.
template <class V>
struct SquaredDifferences {
  static constexpr unsigned kSums = 1;
  const float* p;
  const V* t;
  float factor;
  float* dp;

  PLAIT_ANYWHERE void add(uint64_t at, uint64_t, double* sums) const {
    const float d = p[at] - static_cast<float>(t[at]);
    sums[0] += static_cast<double>(d) * d;
    if (dp) dp[at] = factor * d;
  }
};

// The call's answer. No target is bad.
struct KeepLoss {
  double count;
  double* result;
  int32_t* bad_target;  // or null

  PLAIT_ANYWHERE void operator()(uint64_t, const double* sums) const {
    result[0] = sums[0], result[1] = count;
    if (bad_target) *bad_target = -1;
  }
};

}  // namespace losses
