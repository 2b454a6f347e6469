#include "plan/memory.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"

namespace plait::inline plan {
namespace {

// The lowest offset at which `block` fits between the blocks placed before it that live at the same time.
uint64_t lowest_fit(const MemoryBlock& block, std::vector<const MemoryBlock*>& placed,
                    const Together& together) {
  std::ranges::sort(placed, {}, &MemoryBlock::offset);
  uint64_t offset = 0;
  for (const MemoryBlock* other : placed) {
    if (other->offset >= sum_or_most(offset, block.bytes)) break;
    if (sum_or_most(other->offset, other->bytes) <= offset || !together(block, *other)) continue;
    offset = std::max(offset, sum_or_most(other->offset, other->bytes));
  }
  return offset;
}

}  // namespace

bool alive_together(const MemoryBlock& a, const MemoryBlock& b) {
  return a.first <= b.last && b.first <= a.last;
}

uint64_t RunMemory::training() const {
  return weights + slots + mean + sums + replicas + activations + batches;
}

// Replicas and sums are gone when the test begins, and not there yet, or no more, while stages of tasks run.
uint64_t RunMemory::total() const {
  return process + std::max({training() + std::max(evaluation, scratch), weights + slots + test,
                             sum_or_most(weights + slots, stages)});
}

uint64_t place_blocks(std::vector<MemoryBlock>& blocks, uint64_t alignment, const Together& together) {
  for (MemoryBlock& block : blocks) block.bytes = round_up_or_most(block.bytes, alignment);
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<const MemoryBlock*> placed;
  uint64_t total = 0;
  for (size_t index : order) {
    MemoryBlock& block = blocks[index];
    block.offset = lowest_fit(block, placed, together);
    total = std::max(total, sum_or_most(block.offset, block.bytes));
    placed.push_back(&block);
  }
  return total;
}

}  // namespace plait::inline plan
