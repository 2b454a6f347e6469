// global_average_pool on CUDA devices: a thread for each channel of a sample.
#include "global_average_pool.h"

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct GlobalAveragePoolOnCuda : GlobalAveragePool {
  void needs(const LayerRequest& r, LayerNeeds& n) const {
    GlobalAveragePool::needs(r, n);
    n.workspace(2 * extent_bytes(r.input()));
  }
  void forward(Context& c, const LayerCall& call) const {
    gpu::map(c, call.output().size(),
             PoolForward{batch_of(c, call), call.input().f32().data(), call.output().f32().data()});
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Tensor dx = call.input_gradient();
    if (!call.accumulate())
      gpu::check(cudaMemsetAsync(dx.raw(), 0, dx.bytes(), gpu::stream(c)), "zeros of a gradient");
    gpu::map(c, call.output_gradient().size(),
             PoolBackward{batch_of(c, call), call.output_gradient().f32().data(), dx.f32().data()});
  }

 private:
  template <class Shaped>
  static uint64_t extent_bytes(const Shaped& x) {
    return round_up(static_cast<size_t>(x.shape(0)) * sizeof(int32_t), 64);
  }
  // Extents are the host's: they are copied to where kernels reach them.
  static const int32_t* on_device(Context& c, std::span<const int32_t> extents, std::byte* to) {
    if (extents.empty()) return nullptr;
    gpu::check(
        cudaMemcpyAsync(to, extents.data(), extents.size_bytes(), cudaMemcpyHostToDevice, gpu::stream(c)),
        "the extents of samples");
    return reinterpret_cast<const int32_t*>(to);
  }
  static PooledBatch batch_of(Context& c, const LayerCall& call) {
    const Tensor x = call.input();
    auto* const space = call.workspace<std::byte>();
    return {PooledPlaces(x), static_cast<uint64_t>(x.shape(0)), static_cast<uint64_t>(x.shape(-1)),
            on_device(c, x.lengths(), space), on_device(c, x.second_lengths(), space + extent_bytes(x))};
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.global_average_pool.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::GlobalAveragePoolOnCuda>("plait.global_average_pool", "plait.cuda"));
