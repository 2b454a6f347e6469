// Rows of numbers from one matrix into another, for gpu::map: what concatenating and splitting do.
// Threads: [any]
#pragma once
#include <plait/cuda/divide.hpp>

namespace plait::sdk::gpu {

// to[r, i] = from[r, i] for the first `run` numbers of each row; strides are in numbers. As many elements as
// all rows have together.
struct CopyRows {
  uint64_t run;
  const float* from;
  uint64_t from_stride;
  float* to;
  uint64_t to_stride;
  PLAIT_ANYWHERE float load(uint64_t i) const {
    const Divided at = divide(i, run);
    return from[at.quotient * from_stride + at.remainder];
  }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const {
    const Divided at = divide(i, run);
    to[at.quotient * to_stride + at.remainder] = value;
  }
};

}  // namespace plait::sdk::gpu
