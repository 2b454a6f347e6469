// Memory of a stream for what has no workspace: optimizers.
//
// Work on a stream is in order, so one block serves all libraries: what a call left there the next may
// overwrite. Fails with: kUnsupported where the device keeps nothing for libraries; kMemory. Threads: [any],
// one stream at a time.
#pragma once
#include <plait/cuda.hpp>

#include <cstddef>

namespace plait::sdk::gpu {

inline constexpr uint64_t kScratchBytes = 1 << 20;

// kScratchBytes on the card, 256-byte aligned, made at the stream's first call that asks.
inline std::byte* scratch(const Context& c) {
  stream(c);  // its card is the one that memory is taken from
  const auto make = [] {
    void* memory = nullptr;
    check(cudaMalloc(&memory, kScratchBytes), "memory of a stream");
    return static_cast<std::byte*>(memory);
  };
  return kept(c, "plait.scratch/1", make, [](std::byte* memory) { cudaFree(memory); });
}

}  // namespace plait::sdk::gpu
