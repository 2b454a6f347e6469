// A CUDA card as a device: memory, streams, copies, and work that is recorded once and repeated as a graph.
// The kernels are in the folders of their layers, losses and optimizers, in libraries <name>.cuda.plait.so.
#include <plait/sdk.hpp>

#include <plait/cuda.hpp>
#include <plait/cuda/map.hpp>

#include <memory>

#include "card.h"
#include "memory.h"
#include "storage.h"
#include "sums.h"

using namespace plait::sdk;

namespace plait_cuda {
namespace {

__global__ void add_kernel(uint64_t count, float* to, const float* from) {
  for (uint64_t i = gpu::index(); i < count; i += gpu::stride()) to[i] += from[i];
}

struct Cuda {
  int index = -1;

  static void describe(Describe<Cuda>& d) {
    d.doc("an NVIDIA card, by CUDA");
    d.details(
        "Needs a driver of NVIDIA. Layers, losses and optimizers run on it that have an implementation for "
        "it;\n"
        "metrics and augmenters that have none are the host's. CPU and card agree within tolerances, not in "
        "bits;\n"
        "bits are the same for any number of cards of one model.");
    d.field("index", &Cuda::index)
        .doc("number of the card, from 0; -1: that of the rank's place on its host")
        .range(-1, 1023);
    d.preferred();
  }

  Cuda() = default;
  Cuda(const Cuda&) = delete;
  Cuda& operator=(const Cuda&) = delete;
  ~Cuda() {
    storage_.drop(nullptr);
    memory_.reset();
  }

  DeviceInfo open(Context&) {
    card_ = take_card(index);
    memory_ = std::make_unique<Memory>(card_);
    return {.name = card_.properties.name, .memory_bytes = card_.properties.totalGlobalMem};
  }

  void* allocate(Context&, uint64_t bytes) { return memory_->allocate(bytes); }
  void release(void* memory) { memory_->release(memory); }
  void* allocate_host(Context&, uint64_t bytes) { return allocate_pinned(card_, bytes); }
  void release_host(void* memory) { release_pinned(memory); }

  void* stream_create(Context&) {
    gpu::check(cudaSetDevice(card_.number), "the card");
    cudaStream_t stream = nullptr;
    gpu::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    return stream;
  }
  void stream_destroy(void* stream) {
    cudaSetDevice(card_.number);
    cudaStreamSynchronize(static_cast<cudaStream_t>(stream));
    storage_.drop(stream);
    cudaStreamDestroy(static_cast<cudaStream_t>(stream));
  }

  void copy_in(Context& c, void* to, const void* from, uint64_t bytes) {
    move(c, to, from, bytes, cudaMemcpyHostToDevice, "a copy to the card");
  }
  void copy_out(Context& c, void* to, const void* from, uint64_t bytes) {
    move(c, to, from, bytes, cudaMemcpyDeviceToHost, "a copy from the card");
  }
  void copy(Context& c, void* to, const void* from, uint64_t bytes) {
    move(c, to, from, bytes, cudaMemcpyDeviceToDevice, "a copy on the card");
  }
  void fill_zero(Context& c, void* memory, uint64_t bytes) {
    if (bytes > 0) gpu::check(cudaMemsetAsync(memory, 0, bytes, gpu::stream(c)), "zeros");
  }
  void add_f32(Context& c, float* to, const float* from, uint64_t count) {
    gpu::strided(c, count, add_kernel, to, from);
  }
  void add_to_sums(Context& c, const plait_exact_sums& sums, const float* x, const float* before,
                   int32_t weight, uint32_t* not_finite) {
    if (sums.is_wide)
      gpu::map(c, sums.count, AddToSums<int64_t>{exact::Sums<int64_t>(sums), x, before, weight, not_finite});
    else
      gpu::map(c, sums.count, AddToSums<int32_t>{exact::Sums<int32_t>(sums), x, before, weight, not_finite});
  }
  void mean_of_sums(Context& c, const plait_exact_sums& sums, double total_weight, float* out) {
    if (sums.is_wide)
      gpu::map(c, sums.count, MeanOfSums<int64_t>{exact::Sums<int64_t>(sums), total_weight, out});
    else
      gpu::map(c, sums.count, MeanOfSums<int32_t>{exact::Sums<int32_t>(sums), total_weight, out});
  }
  // Here a kernel that failed while it ran is told.
  void synchronize(Context& c) { gpu::check(cudaStreamSynchronize(gpu::stream(c)), "work on the card"); }

  // Others' streams go on meanwhile, whatever they do.
  void record(Context& c) {
    gpu::check(cudaStreamBeginCapture(gpu::stream(c), cudaStreamCaptureModeThreadLocal), "a recording");
  }
  void* recorded(Context& c) {
    cudaGraph_t graph = nullptr;
    // Ends it, whatever has become of it.
    gpu::check(cudaStreamEndCapture(static_cast<cudaStream_t>(c.stream()), &graph), "a recording's end");
    cudaGraphExec_t work = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&work, graph, 0);
    cudaGraphDestroy(graph);
    gpu::check(status, "a recording made into work");
    return work;
  }
  void repeat(Context& c, void* work) {
    gpu::check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(work), gpu::stream(c)), "recorded work");
  }
  void forget(void* work) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(work)); }

  const void* extension(std::string_view name) {
    return name == PLAIT_EXTENSION_STREAM_STORAGE ? &kStorage : nullptr;
  }

 private:
  static void move(Context& c, void* to, const void* from, uint64_t bytes, cudaMemcpyKind kind,
                   const char* doing) {
    if (bytes > 0) gpu::check(cudaMemcpyAsync(to, from, bytes, kind, gpu::stream(c)), doing);
  }
  static int kept(plait_context* context, const char* key, int (*create)(plait_context*, void**),
                  void (*destroy)(void*), void** made) noexcept {
    int status = PLAIT_FAILED;
    const int guarded = detail::guard(context, [&] {
      status = static_cast<Cuda*>(context->device)->storage_.get(context, key, create, destroy, made);
    });
    return guarded == PLAIT_OK ? status : guarded;
  }
  static constexpr plait_stream_storage kStorage{sizeof(plait_stream_storage), 0, &kept};

  Card card_;
  std::unique_ptr<Memory> memory_;
  Storage storage_;
};

}  // namespace
}  // namespace plait_cuda

PLAIT_PLUGIN("plait.cuda", "1.0.0", "Apache-2.0", device<plait_cuda::Cuda>("plait.cuda"),
             numerics(&plait_cuda::facts));
