// What a thread does for the mean of the shards: an element, for gpu::map.
#pragma once
#include <plait/anywhere.hpp>
#include <plait/exact_sums.hpp>

namespace plait_cuda {

// See plait_device_ops.add_to_sums.
template <class Integer>
struct AddToSums {
  plait::sdk::exact::Sums<Integer> sums;
  const float *x, *before;  // before: or null
  int32_t weight;
  uint32_t* not_finite;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const float value = before ? plait::sdk::exact::difference(x[i], before[i]) : x[i];
    if (plait::sdk::exact::is_finite(value))
      plait::sdk::exact::add(sums, i, value, weight);
    else
      *not_finite = 1;  // whoever says so says the same
  }
};

template <class Integer>
struct MeanOfSums {
  plait::sdk::exact::Sums<Integer> sums;
  double total_weight;
  float* out;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    out[i] = plait::sdk::exact::mean(sums, i, total_weight);
  }
};

}  // namespace plait_cuda
