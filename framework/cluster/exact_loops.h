// The loops of exact_kernels.h, a table for each instruction set: the kernels run the fastest that the
// processor has, a test compares all of them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace plait::inline cluster {

// Arguments in the order of exact_kernels.h: high, low and window of Bins, then what is added, then the
// count.
struct Loops {
  uint32_t (*magnitude)(const float*, size_t);
  void (*add32)(int32_t*, int32_t*, uint8_t*, const float*, size_t, int32_t);
  void (*add64)(int64_t*, int64_t*, uint8_t*, const float*, size_t, int32_t);
  void (*sum32)(int32_t*, int32_t*, uint8_t*, const int32_t*, const int32_t*, const uint8_t*, size_t);
  void (*sum64)(int64_t*, int64_t*, uint8_t*, const int64_t*, const int64_t*, const uint8_t*, size_t);
  void (*mean32)(float*, const int32_t*, const int32_t*, const uint8_t*, size_t, double);
  void (*mean64)(float*, const int64_t*, const int64_t*, const uint8_t*, size_t, double);
  // out, values of each shard, weights, number of shards, of elements, total weight
  void (*kept)(float*, const float* const*, const int32_t*, size_t, size_t, double);
};

struct LoopSet {
  const char* name;
  bool (*is_runnable)();  // on this processor
  const Loops* loops;
};

// From the slowest, which every processor runs, to the fastest.
std::span<const LoopSet> loop_sets();

}  // namespace plait::inline cluster
