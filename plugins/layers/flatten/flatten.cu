// flatten on CUDA devices: where the host gave both the same memory, nothing happens.
#include "flatten.h"

#include <plait/cuda/map.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct FlattenOnCuda : Flatten {
  void needs(const LayerRequest& r, LayerNeeds& n) const {
    Flatten::needs(r, n);
    n.repeats();
  }
  void forward(Context& c, const LayerCall& call) const { copy(c, call.input(), call.output()); }
  void backward(Context& c, const LayerCall& call) const {
    if (call.input_gradient()) copy(c, call.output_gradient(), call.input_gradient());
  }

 private:
  static void copy(Context& c, Tensor from, Tensor to) {
    const uint64_t bytes = from.bytes();
    if (bytes % sizeof(uint32_t) != 0)
      return gpu::copy(c, static_cast<const uint8_t*>(from.raw()), static_cast<uint8_t*>(to.raw()), bytes);
    gpu::copy(c, static_cast<const uint32_t*>(from.raw()), static_cast<uint32_t*>(to.raw()),
              bytes / sizeof(uint32_t));
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.flatten.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::FlattenOnCuda>("plait.flatten", "plait.cuda"));
