// Memory: where blocks lie that are alive at different times, and what a run holds.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace plait::inline plan {

// A block of `bytes`, alive from time `first` to time `last`, both included.
struct MemoryBlock {
  uint64_t bytes = 0;
  int first = 0;
  int last = 0;
  uint64_t offset = 0;  // the answer, aligned to kAlignment
  // For who does not go by first and last: each time at which it is used, and whether its content lives
  // between.
  bool keeps = true;
  std::vector<int> times = {};
};

// By first and last.
bool alive_together(const MemoryBlock& a, const MemoryBlock& b);

// Sets every offset so that blocks alive at the same time do not overlap; large blocks first, each at the
// lowest place that is free. Returns the bytes in all, the largest number where they are beyond 64 bits.
using Together = std::function<bool(const MemoryBlock&, const MemoryBlock&)>;
uint64_t place_blocks(std::vector<MemoryBlock>& blocks, uint64_t alignment,
                      const Together& together = alive_together);

// What one rank holds at its largest. Units: bytes
struct RunMemory {
  uint64_t process = 0;      // program, plugins, and data as far as their sources keep them: measured
  uint64_t weights = 0;      // of the rank, buffers included
  uint64_t slots = 0;        // of the optimizer and the outer optimizer
  uint64_t mean = 0;         // what a round comes to
  uint64_t sums = 0;         // exact sums of the shards' results
  uint64_t replicas = 0;     // weights, gradients, slots and second layouts of all replicas
  uint64_t activations = 0;  // of all replicas, with gradients and workspace
  uint64_t batches = 0;      // of all replicas, two each
  uint64_t evaluation = 0;   // while validating: activations and batches
  uint64_t test = 0;         // while testing at the end: weights again, activations and batches
  uint64_t stages =
      0;  // of the stage of tasks that takes the most: its bounds, where those are all that is known
  uint64_t scratch = 0;   // of one parameter that is kept in another order than files have
  uint64_t exchange = 0;  // not of the total: more on each of several ranks, while they exchange sums
  int workers = 0;        // replicas
  uint64_t training() const;
  uint64_t total() const;
};

}  // namespace plait::inline plan
