// Where blocks of memory lie that are alive at different times.
#pragma once
#include <cstdint>
#include <vector>

namespace plait {

// A block of `bytes`, alive from time `first` to time `last`, both included.
struct MemoryBlock {
  uint64_t bytes = 0;
  int first = 0;
  int last = 0;
  uint64_t offset = 0;  // the answer, aligned to kAlignment
};

// Sets every offset so that blocks alive at the same time do not overlap; large blocks first, each at the
// lowest place that is free. Returns the bytes in all, the largest number where they are beyond 64 bits.
uint64_t place_blocks(std::vector<MemoryBlock>& blocks, uint64_t alignment);

}  // namespace plait
