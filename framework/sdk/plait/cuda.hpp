// Kernels on CUDA devices. A .cu file includes this header after <plait/sdk.hpp>:
//
//   __global__ void halve(uint64_t count, const float* x, float* y) {
//     const uint64_t i = gpu::index();
//     if (i < count) y[i] = x[i] / 2;
//   }
//   struct HalveOnCuda : Halve {  // the fields of the type, and its describe
//     void forward(Context& c, In x, Out y) const { gpu::each(c, x.size(), halve, x.data(), y.data()); }
//     ...
//   };
//   Entry halve_on_cuda() { return implementation<HalveOnCuda>("acme.halve", "acme.gpu"); }
//
// The contract with devices: memory is the card's, and the stream of a call is a cudaStream_t. Kernels are
// queued on it and nothing waits: no cudaDeviceSynchronize, no cudaMalloc. Memory for a call is LayerNeeds'
// workspace. The data() of In, Out and Tensor are addresses on the card: the host passes them on and reads
// nothing.
//
// Equal bits: sums in an order that the launch decides, no atomic sums of floats.
//
// A handle of a vendor's library is made once a stream, whichever library asks for it first: kept().
//
// Fails with: the runtime's text. A kernel that fails while it runs is told by a later call on its stream.
// Threads: [any], one stream at a time.
#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "anywhere.hpp"
#include "sdk/context.hpp"
#include "sdk/error.hpp"

namespace plait::sdk::gpu {

// Throws "<doing>: <the runtime's text>". The runtime forgets an error that can be survived, so that the next
// call does not report it again.
inline void check(cudaError_t status, const char* doing) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  const bool full = status == cudaErrorMemoryAllocation;
  throw Error(full ? ErrorCode::kMemory : ErrorCode::kException, doing, ": ", cudaGetErrorString(status),
              " (", cudaGetErrorName(status), ")");
}

// The stream of the call; its card becomes the one that this thread launches on. While the stream is recorded
// it may not be asked for its card: whoever began the recording has made that this thread's.
inline cudaStream_t stream(const Context& c) {
  const auto stream = static_cast<cudaStream_t>(c.stream());
#if CUDART_VERSION >= 12080
  cudaStreamCaptureStatus recording = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &recording), "the state of a stream");
  if (recording != cudaStreamCaptureStatusNone) return stream;
  int card = 0;
  check(cudaStreamGetDevice(stream, &card), "the card of a stream");
  check(cudaSetDevice(card), "the card of a stream");
#endif
  return stream;
}

// Queues kernel(arguments...) on the call's stream. For launches of one's own: gpu::stream(c), and
// gpu::check(cudaGetLastError(), "my kernel") after <<<...>>>.
template <class... Wanted, class... Given>
void launch(const Context& c, dim3 blocks, dim3 threads, void (*kernel)(Wanted...),
            const Given&... arguments) {
  static_assert(sizeof...(Wanted) == sizeof...(Given), "a launch gives a kernel all its arguments");
  std::tuple<Wanted...> values(static_cast<Wanted>(arguments)...);
  std::apply(
      [&](auto&... value) {
        void* addresses[sizeof...(Wanted) + 1] = {&value..., nullptr};
        check(cudaLaunchKernel(kernel, blocks, threads, addresses, 0, stream(c)), "launch of a kernel");
      },
      values);
}

inline constexpr unsigned kThreads = 256;      // of a block
inline constexpr uint64_t kMostBlocks = 4096;  // of a launch by strided()

// Queues kernel(count, arguments...) on at least `count` threads. Nothing for 0.
template <class... Wanted, class... Given>
void each(const Context& c, uint64_t count, void (*kernel)(uint64_t, Wanted...), const Given&... arguments) {
  if (count == 0) return;
  launch(c, static_cast<unsigned>((count + kThreads - 1) / kThreads), kThreads, kernel, count, arguments...);
}

// Queues kernel(count, arguments...) on as many threads as the card holds at once or fewer. Each goes over
// elements `index(), index() + stride(), ...` below count. Nothing for 0.
template <class... Wanted, class... Given>
void strided(const Context& c, uint64_t count, void (*kernel)(uint64_t, Wanted...),
             const Given&... arguments) {
  if (count == 0) return;
  const uint64_t blocks = std::min((count + kThreads - 1) / kThreads, kMostBlocks);
  launch(c, static_cast<unsigned>(blocks), kThreads, kernel, count, arguments...);
}

#ifdef __CUDACC__
// The number of this thread in a launch by each() or strided(), and the number of threads.
__device__ inline uint64_t index() { return blockIdx.x * uint64_t{blockDim.x} + threadIdx.x; }
__device__ inline uint64_t stride() { return gridDim.x * uint64_t{blockDim.x}; }
#endif

// What is kept under `key` with the call's stream (in the constructor of a Kernel: with the device), made by
// make() where it is not there yet, and by drop(handle) ended with the stream. `key` names the thing and its
// version: "cudnn/9". make and drop are functions without state; make throws when it cannot.
// Fails with: kUnsupported where the device keeps nothing for libraries.
template <class Make, class Drop>
auto kept(const Context& c, const char* key, Make, Drop) {
  using Handle = decltype(Make()());
  static_assert(std::is_pointer_v<Handle> && std::is_empty_v<Make> && std::is_empty_v<Drop>);
  const auto* storage = c.extension<plait_stream_storage>(PLAIT_EXTENSION_STREAM_STORAGE);
  if (!storage) throw Unsupported("the device keeps no ", key, " for its streams");
  const auto create = [](plait_context* context, void** made) noexcept {
    return detail::guard(context, [&] { *made = Make()(); });
  };
  void* found = nullptr;
  const auto destroy = [](void* made) { Drop()(static_cast<Handle>(made)); };
  if (storage->get(c.c(), key, create, destroy, &found) != PLAIT_OK)
    throw Error(ErrorCode::kException, key, " cannot be made");  // unless create has said why
  return static_cast<Handle>(found);
}

}  // namespace plait::sdk::gpu
