#include "memory.h"

#include <algorithm>

using namespace plait::sdk;

namespace plait_cuda {

Memory::Memory(const Card& card) : card_(card) {
  int has_pools = 0;
  gpu::check(cudaDeviceGetAttribute(&has_pools, cudaDevAttrMemoryPoolsSupported, card.number),
             "the card's pools of memory");
  if (has_pools == 0) return;
  gpu::check(cudaDeviceGetDefaultMemPool(&pool_, card.number), "the card's pool of memory");
  uint64_t all = UINT64_MAX;
  gpu::check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &all),
             "the card's pool of memory");
  gpu::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
}

Memory::~Memory() {
  if (pool_) cudaMemPoolTrimTo(pool_, 0);
  if (stream_) cudaStreamDestroy(stream_);
}

// What the pool took is there for all streams once its own has come so far.
cudaError_t Memory::take(void** memory, uint64_t bytes) {
  cudaError_t status = pool_ ? cudaMallocAsync(memory, bytes, stream_) : cudaMalloc(memory, bytes);
  if (status == cudaSuccess && pool_) status = cudaStreamSynchronize(stream_);
  if (status != cudaSuccess) cudaGetLastError();  // or the next launch would report it
  return status;
}

void* Memory::allocate(uint64_t bytes) {
  gpu::check(cudaSetDevice(card_.number), "the card");
  const uint64_t total = card_.properties.totalGlobalMem;
  void* memory = nullptr;
  cudaError_t status = cudaErrorMemoryAllocation;
  if (bytes <= total) status = take(&memory, std::max<uint64_t>(bytes, 1));
  if (status == cudaErrorMemoryAllocation && pool_ && bytes <= total) {
    cudaMemPoolTrimTo(pool_, 0);  // what is kept may be in pieces that are too small
    status = take(&memory, std::max<uint64_t>(bytes, 1));
  }
  if (status == cudaSuccess) return memory;
  if (status != cudaErrorMemoryAllocation) gpu::check(status, "memory");
  size_t free = 0, all = 0;
  gpu::check(cudaMemGetInfo(&free, &all), "the card's free memory");
  throw Error(ErrorCode::kMemory, "out of memory on ", card_.name(), ": wanted ", bytes, " bytes, ", free,
              " of ", all, " are free; a smaller batch, or fewer threads, takes less");
}

void Memory::release(void* memory) noexcept {
  if (cudaSetDevice(card_.number) != cudaSuccess) return;
  if (pool_) {
    cudaFreeAsync(memory, stream_);
  } else {
    cudaFree(memory);
  }
}

void* allocate_pinned(const Card& card, uint64_t bytes) {
  gpu::check(cudaSetDevice(card.number), "the card");
  void* memory = nullptr;
  if (cudaHostAlloc(&memory, std::max<uint64_t>(bytes, 1), cudaHostAllocDefault) == cudaSuccess)
    return memory;
  cudaGetLastError();
  throw Error(ErrorCode::kMemory, "the host has no ", bytes, " bytes of memory that can be locked in place");
}

void release_pinned(void* memory) noexcept { cudaFreeHost(memory); }

}  // namespace plait_cuda
