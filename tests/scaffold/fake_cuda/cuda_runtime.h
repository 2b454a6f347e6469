// A CUDA runtime for tests on machines without a card: as much of it as the templates of `plait new ...
// --cuda` use, for .cu files that are compiled as C++. Kernels run on the host's processor, in order, in a
// thread of their stream; errors of queued work arrive at the next call that waits for it. The environment
// says
//   FAKE_CUDA_CARDS     the number of cards, 1 by default
//   FAKE_CUDA_DRIVER    what the driver is for, 13000 by default
//   FAKE_CUDA_NO_CODE   set: libraries hold no code for the card
//   FAKE_CUDA_NO_POOLS  set: the card has no pools of memory
//   FAKE_CUDA_FAIL      "malloc:3 launch:7": the third allocation fails, and the seventh launch; also "host"
//   (memory
//                       of the host), "copy" (late), "kernel" (late), "record" and "repeat"
// Libraries of one process share the runtime's state where FAKE_CUDA_SHARED is defined and shared_state.cc is
// a library that they are linked with; else each has its own.
//
// Unlike a card, it does not keep the host from its memory.
#pragma once
#include <math.h>
#include <setjmp.h>
#include <ucontext.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
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
#define __restrict__

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum { cudaStreamNonBlocking = 1 };
enum { cudaHostAllocDefault = 0 };
enum cudaDeviceAttr { cudaDevAttrMemoryPoolsSupported = 115 };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone = 0, cudaStreamCaptureStatusActive = 1 };
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor;
};
struct cudaFuncAttributes {
  int maxThreadsPerBlock;
};
using cudaMemPool_t = struct FakePool*;

namespace fake_cuda {

// ------------------------------------------------------------------------------------------------ errors

#ifdef FAKE_CUDA_SHARED
extern thread_local cudaError_t last;
extern thread_local int current_card;
extern thread_local int recordings;                    // that this thread has begun and not ended
extern std::map<std::string, std::atomic<int>> calls;  // of each sort that may fail
#else
inline thread_local cudaError_t last = cudaSuccess;
inline thread_local int current_card = 0;
inline thread_local int recordings = 0;
inline std::map<std::string, std::atomic<int>> calls;
#endif

// Whether this call, one of sort `what`, is the one that is to fail.
inline bool fails(const std::string& what) {
  const char* said = std::getenv("FAKE_CUDA_FAIL");
  if (!said) return false;
  const std::string words = std::string(" ") + said;
  const size_t at = words.find(" " + what + ":");
  if (at == std::string::npos) return false;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return ++calls[what] == std::atoi(words.c_str() + at + what.size() + 2);
}

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
#ifdef FAKE_CUDA_SHARED
extern Memory memory;
#else
inline Memory memory;
#endif

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
    leave(block, block.fibers_[place.thread.x]);
  }

 private:
  static constexpr size_t kStack = 1 << 15;
  // Made once; then it waits for the next block. Jumps, unlike swapcontext, ask nothing of the system.
  struct Fiber {
    ucontext_t context;
    jmp_buf jump;
    bool is_made, done;
  };
  static Block*& self() {
    static thread_local Block* block = nullptr;
    return block;
  }
  static void enter() {
    Block& block = *self();
    Fiber& fiber = block.fibers_[place.thread.x];  // once: a later block may be another library's, with its own `place`
    for (;;) {
      block.call_(block.body_);
      fiber.done = true;
      leave(block, fiber);
    }
  }
  static void leave(Block& block, Fiber& fiber) {
    if (_setjmp(fiber.jump) == 0) _longjmp(block.main_, 1);
  }
  void begin(unsigned t) {
    Fiber& fiber = fibers_[t];
    fiber.done = false;
    if (fiber.is_made) return void(resume(t));
    fiber.is_made = true;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stacks_.get() + t * kStack;
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &Block::enter, 0);
    place.thread = dim3(t);
    if (_setjmp(main_) == 0) setcontext(&fiber.context);
  }
  bool resume(unsigned t) {
    if (fibers_[t].done) return false;
    place.thread = dim3(t);
    if (_setjmp(main_) == 0) _longjmp(fibers_[t].jump, 1);
    return !fibers_[t].done;
  }

  const void* body_ = nullptr;
  void (*call_)(const void* body) = nullptr;
  std::vector<Fiber> fibers_{kThreads};
  std::unique_ptr<char[]> stacks_{new char[kThreads * kStack]};
  jmp_buf main_{};
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
  static constexpr size_t kBytes = 512, kDepth = 64;
  struct Piece {
    cudaError_t (*run)(const void* bytes, Block& block);
    alignas(16) char bytes[kBytes];
  };
  using Recording = std::vector<Piece>;

  // Queues run(block), which answers a cudaError_t; or keeps it, while the stream is recorded.
  template <class Run>
  cudaError_t queue(const Run& run) {
    static_assert(sizeof(Run) <= kBytes && std::is_trivially_copyable_v<Run>);
    Piece piece;
    std::memcpy(piece.bytes, &run, sizeof run);
    piece.run = [](const void* bytes, Block& block) { return (*static_cast<const Run*>(bytes))(block); };
    if (recording_) {
      recording_->push_back(piece);
      return cudaSuccess;
    }
    return push(piece);
  }
  cudaError_t push(const Piece& piece) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return waiting_ < kDepth; });
      if (failed_ != cudaSuccess) return answer(failed_);
      ring_[(first_ + waiting_) % kDepth] = piece;
      ++waiting_;
    }
    changed_.notify_all();
    return cudaSuccess;
  }
  cudaError_t record() {
    if (recording_ || fails("record")) return answer(cudaErrorStreamCaptureUnsupported);
    recording_ = std::make_unique<Recording>();
    spoilt_ = false;
    ++recordings;
    return cudaSuccess;
  }
  // Null where there is none, or something was called that may not be.
  std::unique_ptr<Recording> recorded() {
    recordings -= recording_ ? 1 : 0;
    std::unique_ptr<Recording> made = std::move(recording_);
    return spoilt_ ? nullptr : std::move(made);
  }
  bool is_recorded() const { return recording_ != nullptr; }
  // A call that no recording allows.
  cudaError_t spoil() {
    spoilt_ = true;
    return answer(cudaErrorStreamCaptureUnsupported);
  }
  cudaError_t synchronize() {
    if (recording_) return spoil();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ == 0; });
    return answer(failed_);
  }

 private:
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
  std::unique_ptr<Recording> recording_;  // while it is recorded
  bool spoilt_ = false;
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
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoKernelImageForDevice:
      return "cudaErrorNoKernelImageForDevice";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
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
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoKernelImageForDevice:
      return "no kernel image is available for execution on the device";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    default:
      return "invalid argument";
  }
}
inline cudaError_t cudaGetLastError() { return std::exchange(fake_cuda::last, cudaSuccess); }

inline cudaError_t cudaRuntimeGetVersion(int* version) { return *version = CUDART_VERSION, cudaSuccess; }
inline cudaError_t cudaDriverGetVersion(int* version) {
  const char* said = std::getenv("FAKE_CUDA_DRIVER");
  return *version = said ? std::atoi(said) : fake_cuda::cards() > 0 ? CUDART_VERSION : 0, cudaSuccess;
}
inline cudaError_t cudaGetDeviceCount(int* count) {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  *count = 0;
  if (driver != 0 && driver < CUDART_VERSION) return fake_cuda::answer(cudaErrorInsufficientDriver);
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
  properties->major = 9, properties->minor = 0;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  return *value = std::getenv("FAKE_CUDA_NO_POOLS") ? 0 : 1, cudaSuccess;
}
template <class Kernel>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, Kernel*) {
  if (std::getenv("FAKE_CUDA_NO_CODE")) return fake_cuda::answer(cudaErrorNoKernelImageForDevice);
  return attributes->maxThreadsPerBlock = fake_cuda::Block::kThreads, cudaSuccess;
}

inline cudaError_t cudaMemGetInfo(size_t* left, size_t* total) {
  const std::lock_guard lock(fake_cuda::memory.mutex);
  *total = fake_cuda::kTotal, *left = fake_cuda::kTotal - fake_cuda::memory.taken;
  return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** address, size_t bytes) {
  *address = nullptr;
  if (fake_cuda::recordings > 0) return fake_cuda::answer(cudaErrorStreamCaptureUnsupported);
  if (fake_cuda::fails("malloc")) return fake_cuda::answer(cudaErrorMemoryAllocation);
  const std::lock_guard lock(fake_cuda::memory.mutex);
  if (bytes > fake_cuda::kTotal - fake_cuda::memory.taken)
    return fake_cuda::answer(cudaErrorMemoryAllocation);
  if (bytes == 0) return cudaSuccess;
  *address = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*address) return fake_cuda::answer(cudaErrorMemoryAllocation);
  try {
    fake_cuda::memory.blocks[static_cast<char*>(*address)] = bytes;
  } catch (...) {
    std::free(*address);
    return fake_cuda::answer(cudaErrorMemoryAllocation);
  }
  std::memset(*address, 0xFF, bytes);
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
  if (stream->is_recorded()) return stream->spoil();
  *card = stream->card();
  return cudaSuccess;
}
inline cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->is_recorded() ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return stream->synchronize(); }

// Pools keep nothing here.
inline cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  static char one;
  return *pool = reinterpret_cast<cudaMemPool_t>(&one), cudaSuccess;
}
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
inline cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }
inline cudaError_t cudaMallocAsync(void** address, size_t bytes, cudaStream_t) {
  return cudaMalloc(address, bytes);
}
inline cudaError_t cudaFreeAsync(void* address, cudaStream_t) { return cudaFree(address); }
inline cudaError_t cudaHostAlloc(void** address, size_t bytes, unsigned) {
  *address = nullptr;
  if (fake_cuda::fails("host")) return fake_cuda::answer(cudaErrorMemoryAllocation);
  *address = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return *address ? cudaSuccess : fake_cuda::answer(cudaErrorMemoryAllocation);
}
inline cudaError_t cudaFreeHost(void* address) { return std::free(address), cudaSuccess; }

using cudaGraph_t = fake_cuda::Stream::Recording*;
using cudaGraphExec_t = fake_cuda::Stream::Recording*;
inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return stream->record();
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->recorded().release();
  return *graph ? cudaSuccess : fake_cuda::answer(cudaErrorStreamCaptureUnsupported);
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* work, cudaGraph_t graph, unsigned long long) {
  return *work = new fake_cuda::Stream::Recording(*graph), cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t work) {
  delete work;
  return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t work, cudaStream_t stream) {
  if (fake_cuda::fails("repeat")) return fake_cuda::answer(cudaErrorLaunchFailure);
  for (const auto& piece : *work)
    if (const cudaError_t status = stream->push(piece); status != cudaSuccess) return status;
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream) {
  const bool is_to_fail = fake_cuda::fails("copy");
  return stream->queue([=](fake_cuda::Block&) {
    if (is_to_fail) return cudaErrorIllegalAddress;
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
  const bool is_to_fail = fails("kernel");
  return stream.queue([=](Block& block) {
    if (is_to_fail) return cudaErrorLaunchFailure;
    run_grid(block, blocks, threads, body);
    return cudaSuccess;
  });
}
}  // namespace fake_cuda

template <class... P>
cudaError_t cudaLaunchKernel(void (*kernel)(P...), dim3 blocks, dim3 threads, void** arguments, size_t,
                             cudaStream_t stream) {
  if (stream->card() != fake_cuda::current_card) return fake_cuda::answer(cudaErrorInvalidResourceHandle);
  if (fake_cuda::fails("launch")) return fake_cuda::answer(cudaErrorLaunchFailure);
  if (blocks.x == 0 || threads.x == 0 || threads.x > fake_cuda::Block::kThreads)
    return fake_cuda::answer(cudaErrorInvalidConfiguration);
  return fake_cuda::launch(kernel, blocks, threads, arguments, *stream, std::index_sequence_for<P...>());
}
