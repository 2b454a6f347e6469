// The mean of the shards on the test device.
#pragma once
#include <plait/exact_sums.hpp>

#include "device.h"

namespace plait::test_device {

// Sums at the addresses where they can be written.
template <class Integer>
inline sdk::exact::Sums<Integer> sums_at(const plait_exact_sums& shown, const Access& real) {
  sdk::exact::Sums<Integer> sums;
  sums.high = real(static_cast<Integer*>(shown.high));
  sums.low = real(static_cast<Integer*>(shown.low));
  sums.window = real(shown.window);
  return sums;
}

struct AddToSums {
  plait_exact_sums sums;
  const float *x, *before;
  int32_t weight;
  uint32_t* not_finite;

  const char* run(const Access& real) const {
    return sums.is_wide != 0 ? add<int64_t>(real) : add<int32_t>(real);
  }
  template <class Integer>
  const char* add(const Access& real) const {
    const auto to = sums_at<Integer>(sums, real);
    const float *values = real(x), *others = real(before);
    uint32_t* const bad = real(not_finite);
    if (!to.high || !to.low || !to.window || !values || !bad || (before && !others)) return kForeign;
    for (uint64_t i = 0; i < sums.count; ++i) {
      const float value = others ? sdk::exact::difference(values[i], others[i]) : values[i];
      if (sdk::exact::is_finite(value))
        sdk::exact::add(to, i, value, weight);
      else
        *bad = 1;
    }
    return nullptr;
  }
};

struct MeanOfSums {
  plait_exact_sums sums;
  double total_weight;
  float* out;

  const char* run(const Access& real) const {
    return sums.is_wide != 0 ? write<int64_t>(real) : write<int32_t>(real);
  }
  template <class Integer>
  const char* write(const Access& real) const {
    const auto from = sums_at<Integer>(sums, real);
    float* const means = real(out);
    if (!from.high || !from.low || !from.window || !means) return kForeign;
    for (uint64_t i = 0; i < sums.count; ++i) means[i] = sdk::exact::mean(from, i, total_weight);
    return nullptr;
  }
};

}  // namespace plait::test_device
