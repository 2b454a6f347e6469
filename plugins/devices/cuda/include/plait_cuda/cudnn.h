// The stream's handle of cuDNN.
//
// Fails with: the library's text and what was done.
#pragma once
#include <cudnn.h>

#include <plait/cuda.hpp>
#include <plait/sdk.hpp>

namespace plait_cuda {

using plait::sdk::Context;

// Throws "<doing>: <the library's text>".
inline void check(cudnnStatus_t status, const char* doing) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const bool full = status == CUDNN_STATUS_ALLOC_FAILED;
  const auto code = status == CUDNN_STATUS_NOT_SUPPORTED ? plait::sdk::ErrorCode::kUnsupported
                    : full                               ? plait::sdk::ErrorCode::kMemory
                                                         : plait::sdk::ErrorCode::kException;
  throw plait::sdk::Error(code, doing, ": ", cudnnGetErrorString(status));
}

// For numerics(): what decides the bits of its results beside the card.
inline std::string cudnn_facts() { return plait::sdk::text("cuDNN: ", cudnnGetVersion(), "\n"); }

// Its work is queued on the call's stream; in the constructor of a Kernel there is none: ask, do not run.
inline cudnnHandle_t cudnn(const Context& c) {
  const auto make = [] {
    cudnnHandle_t handle = nullptr;
    check(cudnnCreate(&handle), "a handle of cuDNN");
    return handle;
  };
  const cudnnHandle_t handle =
      plait::sdk::gpu::kept(c, "cudnn/9", make, [](cudnnHandle_t made) { cudnnDestroy(made); });
  if (!c.stream()) return handle;
  cudaStream_t known = nullptr;
  check(cudnnGetStream(handle, &known), "the stream of cuDNN");
  if (const cudaStream_t wanted = plait::sdk::gpu::stream(c); known != wanted)
    check(cudnnSetStream(handle, wanted), "the stream of cuDNN");
  return handle;
}

}  // namespace plait_cuda
