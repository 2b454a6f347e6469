// Rows of numbers from one matrix into another, for gpu::map: what concatenating and splitting do.
// Threads: [any]
#pragma once
#include <plait/cuda/map.hpp>

namespace plait::sdk::gpu {

// to[r, i] = from[r, i] for the first `run` numbers of each row; strides are in numbers.
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

// count: of numbers in all rows together.
inline void copy_rows(const Context& c, const float* from, uint64_t from_stride, float* to, uint64_t to_stride,
                      uint64_t run, uint64_t count) {
  if (run > 0) map(c, count, CopyRows{run, from, from_stride, to, to_stride});
}

}  // namespace plait::sdk::gpu
