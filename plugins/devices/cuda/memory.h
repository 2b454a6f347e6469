// Memory of a card, out of a pool that keeps what was given back: an evaluation takes in microseconds what
// the one before it had.
#pragma once
#include "card.h"

namespace plait_cuda {

class Memory {
 public:
  // Fails with: the runtime's text.
  explicit Memory(const Card& card);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // 256-byte aligned, and not cleared. Fails with: kMemory naming what was wanted, what is free and the
  // total. Threads: [any]
  void* allocate(uint64_t bytes);
  // No work that is queued uses it any more. Threads: [any]
  void release(void* memory) noexcept;

 private:
  cudaError_t take(void** memory, uint64_t bytes);

  const Card& card_;
  cudaStream_t stream_ = nullptr;  // that the pool's work is ordered on
  cudaMemPool_t pool_ = nullptr;   // null: this card has none, and nothing is kept
};

// Memory of the host that is locked in place, from and to which copies need no other copy.
// Fails with: kMemory naming the bytes.
void* allocate_pinned(const Card& card, uint64_t bytes);
void release_pinned(void* memory) noexcept;

}  // namespace plait_cuda
