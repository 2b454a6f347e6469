// A CUDA runtime for tests on machines without a card: as much of it as the templates of `plait new ...
// --cuda` use, for .cu files that are compiled as C++. Kernels run on the host's processor, in order, in a
// thread of their stream; errors of queued work arrive at the next call that waits for it. FAKE_CUDA_CARDS:
// the number of cards, 1 by default.
//
// Unlike a card, it does not keep the host from its memory.
#pragma once
#include <math.h>
#include <ucontext.h>

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#define __CUDACC__
#define CUDART_VERSION 13000
#define __global__
#define __device__
#define __host__
#define __shared__ static thread_local

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorIllegalAddress = 700
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum { cudaStreamNonBlocking = 1 };
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
};

namespace fake_cuda {

// ------------------------------------------------------------------------------------------------ errors

inline thread_local cudaError_t last = cudaSuccess;
inline thread_local int current_card = 0;

inline cudaError_t answer(cudaError_t status) {
  if (status != cudaSuccess) last = status;
  return status;
}
inline int cards() {
  const char* said = std::getenv("FAKE_CUDA_CARDS");
  return said ? std::atoi(said) : 1;
}

// ------------------------------------------------------------------------------------------------ memory

inline constexpr size_t kTotal = size_t{1} << 30;
struct Memory {
  std::mutex mutex;
  std::map<char*, size_t> blocks;  // address, bytes
  size_t taken = 0;

  bool holds(const void* address, size_t bytes) {
    const std::lock_guard lock(mutex);
    const auto* begin = static_cast<const char*>(address);
    auto after = blocks.upper_bound(const_cast<char*>(begin));
    if (after == blocks.begin()) return bytes == 0;
    --after;
    return begin + bytes <= after->first + after->second;
  }
};
inline Memory memory;

// ------------------------------------------------------------------------------------------------ kernels

struct Place {
  dim3 thread, block, threads, blocks;
};
inline thread_local Place place;

// The threads of a block. As long as none of them waits for the others, they are calls, one after the other.
// Stacks are made once for each thread of the host: a launch allocates nothing.
class Block {
 public:
  static constexpr unsigned kThreads = 256;

  template <class Body>
  void run(unsigned count, const Body& body) {
    self() = this;
    waits_ = false;
    body_ = &body;
    call_ = [](const void* b) { (*static_cast<const Body*>(b))(); };
    for (unsigned t = 0; t < count; ++t) {
      if (t == 0 || waits_) {
        begin(t);
      } else {
        place.thread = dim3(t);
        call_(body_);
      }
    }
    for (bool left = waits_; left;) {
      left = false;
      for (unsigned t = 0; t < count; ++t) left = resume(t) || left;
    }
  }
  static void wait() {
    Block& block = *self();
    block.waits_ = true;
    swapcontext(&block.fibers_[place.thread.x].context, &block.main_);
  }

 private:
  static constexpr size_t kStack = 1 << 15;
  struct Fiber {
    ucontext_t context;
    bool done;
  };
  static Block*& self() {
    static thread_local Block* block = nullptr;
    return block;
  }
  static void enter() {
    Block& block = *self();
    block.call_(block.body_);
    block.fibers_[place.thread.x].done = true;
  }
  void begin(unsigned t) {
    Fiber& fiber = fibers_[t];
    fiber.done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stacks_.get() + t * kStack;
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = &main_;
    makecontext(&fiber.context, &Block::enter, 0);
    resume(t);
  }
  bool resume(unsigned t) {
    if (fibers_[t].done) return false;
    place.thread = dim3(t);
    swapcontext(&main_, &fibers_[t].context);
    return !fibers_[t].done;
  }

  const void* body_ = nullptr;
  void (*call_)(const void* body) = nullptr;
  std::vector<Fiber> fibers_{kThreads};
  std::unique_ptr<char[]> stacks_{new char[kThreads * kStack]};
  ucontext_t main_{};
  bool waits_ = false;
};

template <class Body>
void run_grid(Block& block, dim3 blocks, dim3 threads, const Body& body) {
  place.blocks = blocks, place.threads = threads;
  for (unsigned b = 0; b < blocks.x; ++b) {
    place.block = dim3(b);
    block.run(threads.x, body);
  }
}

// ------------------------------------------------------------------------------------------------ streams

// Its queue is of fixed size: who queues more waits.
class Stream {
 public:
  explicit Stream(int card) : card_(card), thread_([this] { work(); }) {}
  ~Stream() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  int card() const { return card_; }
  // Queues run(block), which answers a cudaError_t.
  template <class Run>
  cudaError_t queue(const Run& run) {
    static_assert(sizeof(Run) <= kBytes && std::is_trivially_copyable_v<Run>);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return waiting_ < kDepth; });
      if (failed_ != cudaSuccess) return answer(failed_);
      Piece& piece = ring_[(first_ + waiting_) % kDepth];
      std::memcpy(piece.bytes, &run, sizeof run);
      piece.run = [](const void* bytes, Block& block) { return (*static_cast<const Run*>(bytes))(block); };
      ++waiting_;
    }
    changed_.notify_all();
    return cudaSuccess;
  }
  cudaError_t synchronize() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ == 0; });
    return answer(failed_);
  }

 private:
  static constexpr size_t kBytes = 512, kDepth = 64;
  struct Piece {
    cudaError_t (*run)(const void* bytes, Block& block);
    alignas(16) char bytes[kBytes];
  };
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return waiting_ > 0 || closing_; });
      if (waiting_ == 0) return;
      const Piece& piece = ring_[first_];
      cudaError_t status = failed_;
      if (status == cudaSuccess) {
        lock.unlock();
        status = piece.run(piece.bytes, block_);
        lock.lock();
      }
      failed_ = status;
      first_ = (first_ + 1) % kDepth;
      --waiting_;
      changed_.notify_all();
    }
  }

  const int card_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Piece> ring_{kDepth};
  size_t first_ = 0, waiting_ = 0;    // of the ring; the first stays in it while it runs
  cudaError_t failed_ = cudaSuccess;  // as on a card, what is queued after a failure fails too
  bool closing_ = false;
  Block block_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace fake_cuda

using cudaStream_t = fake_cuda::Stream*;
#define threadIdx (fake_cuda::place.thread)
#define blockIdx (fake_cuda::place.block)
#define blockDim (fake_cuda::place.threads)
#define gridDim (fake_cuda::place.blocks)
inline void __syncthreads() { fake_cuda::Block::wait(); }

inline const char* cudaGetErrorName(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    default:
      return "cudaErrorInvalidValue";
  }
}
inline const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    default:
      return "invalid argument";
  }
}
inline cudaError_t cudaGetLastError() { return std::exchange(fake_cuda::last, cudaSuccess); }

inline cudaError_t cudaGetDeviceCount(int* count) {
  *count = fake_cuda::cards();
  return fake_cuda::answer(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}
inline cudaError_t cudaSetDevice(int card) {
  if (card < 0 || card >= fake_cuda::cards()) return fake_cuda::answer(cudaErrorInvalidDevice);
  fake_cuda::current_card = card;
  return cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::strcpy(properties->name, "fake card");
  properties->totalGlobalMem = fake_cuda::kTotal;
  return cudaSuccess;
}

inline cudaError_t cudaMemGetInfo(size_t* left, size_t* total) {
  const std::lock_guard lock(fake_cuda::memory.mutex);
  *total = fake_cuda::kTotal, *left = fake_cuda::kTotal - fake_cuda::memory.taken;
  return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** address, size_t bytes) {
  *address = nullptr;
  const std::lock_guard lock(fake_cuda::memory.mutex);
  if (bytes > fake_cuda::kTotal - fake_cuda::memory.taken)
    return fake_cuda::answer(cudaErrorMemoryAllocation);
  if (bytes == 0) return cudaSuccess;
  *address = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*address, 0xFF, bytes);
  fake_cuda::memory.blocks[static_cast<char*>(*address)] = bytes;
  fake_cuda::memory.taken += bytes;
  return cudaSuccess;
}
inline cudaError_t cudaFree(void* address) {
  if (!address) return cudaSuccess;
  const std::lock_guard lock(fake_cuda::memory.mutex);
  const auto found = fake_cuda::memory.blocks.find(static_cast<char*>(address));
  if (found == fake_cuda::memory.blocks.end()) return fake_cuda::answer(cudaErrorInvalidValue);
  fake_cuda::memory.taken -= found->second;
  fake_cuda::memory.blocks.erase(found);
  std::free(address);
  return cudaSuccess;
}

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new fake_cuda::Stream(fake_cuda::current_card);
  return cudaSuccess;
}
inline cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* card) {
  if (!stream) return fake_cuda::answer(cudaErrorInvalidResourceHandle);
  *card = stream->card();
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return stream->synchronize(); }
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream) {
  return stream->queue([=](fake_cuda::Block&) {
    if (kind != cudaMemcpyDeviceToHost && !fake_cuda::memory.holds(to, bytes)) return cudaErrorIllegalAddress;
    if (kind != cudaMemcpyHostToDevice && !fake_cuda::memory.holds(from, bytes))
      return cudaErrorIllegalAddress;
    if (bytes > 0) std::memmove(to, from, bytes);
    return cudaSuccess;
  });
}
inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return stream->queue([=](fake_cuda::Block&) {
    if (!fake_cuda::memory.holds(to, bytes)) return cudaErrorIllegalAddress;
    if (bytes > 0) std::memset(to, value, bytes);
    return cudaSuccess;
  });
}

namespace fake_cuda {
template <class... P, size_t... I>
cudaError_t launch(void (*kernel)(P...), dim3 blocks, dim3 threads, void** arguments, Stream& stream,
                   std::index_sequence<I...>) {
  const auto body = [kernel, ... value = *static_cast<P*>(arguments[I])] { kernel(value...); };
  return stream.queue([=](Block& block) {
    run_grid(block, blocks, threads, body);
    return cudaSuccess;
  });
}
}  // namespace fake_cuda

template <class... P>
cudaError_t cudaLaunchKernel(void (*kernel)(P...), dim3 blocks, dim3 threads, void** arguments, size_t,
                             cudaStream_t stream) {
  if (stream->card() != fake_cuda::current_card) return fake_cuda::answer(cudaErrorInvalidResourceHandle);
  if (blocks.x == 0 || threads.x == 0 || threads.x > fake_cuda::Block::kThreads)
    return fake_cuda::answer(cudaErrorInvalidConfiguration);
  return fake_cuda::launch(kernel, blocks, threads, arguments, *stream, std::index_sequence_for<P...>());
}
