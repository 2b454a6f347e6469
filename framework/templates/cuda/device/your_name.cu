// A device: the memory and the streams of a CUDA card. What runs on it are the kernels that are registered
// for the id your_vendor.your_name: those of kernels.cu, and those of other plugins, as `plait new layer ...
// --cuda` writes them.
#include <plait/sdk.hpp>

#include <plait/cuda.hpp>

#include <algorithm>

#include "kernels.h"

using namespace plait::sdk;

namespace your_vendor {
namespace {

__global__ void add_kernel(uint64_t count, float* to, const float* from) {
  const uint64_t i = gpu::index();
  if (i < count) to[i] += from[i];
}

struct YourName {
  int card = 0;

  static void describe(Describe<YourName>& d) {
    d.doc("a CUDA card: its memory and streams");
    d.field("card", &YourName::card).doc("number of the card, as CUDA counts them").range(0, 1023);
  }

  DeviceInfo open(Context&) {
    int cards = 0;
    if (const cudaError_t status = cudaGetDeviceCount(&cards); status != cudaSuccess || cards == 0)
      throw Unsupported("no CUDA device: ",
                        status != cudaSuccess ? cudaGetErrorString(status) : "none is found");
    if (card >= cards)
      throw Unsupported("no CUDA device of number ", card, ": there are ", cards, ", counted from 0");
    gpu::check(cudaSetDevice(card), "the card");
    gpu::check(cudaGetDeviceProperties(&properties_, card), "the card's properties");
    return {.name = properties_.name, .memory_bytes = properties_.totalGlobalMem};
  }

  void* allocate(Context&, uint64_t bytes) {
    gpu::check(cudaSetDevice(card), "the card");
    void* memory = nullptr;
    if (cudaMalloc(&memory, std::max<uint64_t>(bytes, 1)) == cudaSuccess) return memory;
    cudaGetLastError();  // or the next launch would report it
    size_t free = 0, total = 0;
    gpu::check(cudaMemGetInfo(&free, &total), "the card's free memory");
    throw Error(ErrorCode::kMemory, "out of memory on ", properties_.name, ": wanted ", bytes, " bytes, ",
                free, " of ", total, " are free");
  }
  void release(void* memory) { cudaFree(memory); }

  void* stream_create(Context&) {
    gpu::check(cudaSetDevice(card), "the card");
    cudaStream_t stream = nullptr;
    gpu::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    return stream;
  }
  void stream_destroy(void* stream) {
    cudaStreamSynchronize(static_cast<cudaStream_t>(stream));
    cudaStreamDestroy(static_cast<cudaStream_t>(stream));
  }

  void copy_in(Context& c, void* to, const void* from, uint64_t bytes) {
    move(c, to, from, bytes, cudaMemcpyHostToDevice);
  }
  void copy_out(Context& c, void* to, const void* from, uint64_t bytes) {
    move(c, to, from, bytes, cudaMemcpyDeviceToHost);
  }
  void copy(Context& c, void* to, const void* from, uint64_t bytes) {
    move(c, to, from, bytes, cudaMemcpyDeviceToDevice);
  }
  void fill_zero(Context& c, void* memory, uint64_t bytes) {
    if (bytes > 0) gpu::check(cudaMemsetAsync(memory, 0, bytes, gpu::stream(c)), "zeros");
  }
  void add_f32(Context& c, float* to, const float* from, uint64_t count) {
    gpu::each(c, count, add_kernel, to, from);
  }
  // Here a kernel that failed while it ran is told.
  void synchronize(Context& c) { gpu::check(cudaStreamSynchronize(gpu::stream(c)), "work on the card"); }

 private:
  static void move(Context& c, void* to, const void* from, uint64_t bytes, cudaMemcpyKind kind) {
    if (bytes > 0) gpu::check(cudaMemcpyAsync(to, from, bytes, kind, gpu::stream(c)), "a copy");
  }

  cudaDeviceProp properties_{};
};

}  // namespace
}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             device<your_vendor::YourName>("your_vendor.your_name"), your_vendor::dense(),
             your_vendor::relu(), your_vendor::flatten(), your_vendor::softmax_cross_entropy(),
             your_vendor::sgd());
