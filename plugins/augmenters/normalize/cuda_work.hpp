// What a thread of normalize.cu does: an element of a batch.
#pragma once
#include <plait/anywhere.hpp>
#include <plait/cuda/divide.hpp>

#include <cmath>
#include <cstdint>

namespace plait::normalize {

inline constexpr size_t kMost = 32;  // numbers that travel with a launch

// Element i. V: the part's type.
template <class V>
struct Scale {
  const V* x;
  float* y;
  uint64_t period;
  float factors[kMost], offsets[kMost];

  PLAIT_ANYWHERE float load(uint64_t i) const { return static_cast<float>(x[i]); }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const {
    const uint64_t k = sdk::gpu::divide(i, period).remainder;
    y[i] = fmaf(value, factors[k], offsets[k]);  // rounded once, as the host does where it can
  }
};

}  // namespace plait::normalize
