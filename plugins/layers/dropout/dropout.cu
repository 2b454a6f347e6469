// dropout on CUDA devices: the same elements as on the host, from the same keyed words.
#include "dropout.h"

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct DropoutOnCuda : Dropout {
  struct Kernel;
};

struct DropoutOnCuda::Kernel {
  double rate;
  float factor;
  bool frozen;  // part of a network that is as it is in evaluation

  Kernel(const DropoutOnCuda& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : rate(config.rate),
        factor(config.rescale ? static_cast<float>(1 / (1 - config.rate)) : 1.0f),
        frozen(r.parameters_frozen()) {
    n.backward_reads(Reads::nothing);
    if (r.training() && !frozen) n.saved(bytes(r.input().size()));
    if (!r.training() || frozen) n.repeats();
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    const uint64_t count = call.input().size();
    if (!call.training() || frozen) return gpu::copy(c, x, y, count);
    const auto limit = static_cast<uint64_t>(rate * 0x1p32);
    gpu::map(c, bytes(count),
             DropoutForward{call.rng(), limit, {factor, x, y, count}, call.saved<uint8_t>()});
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    const uint64_t count = call.output_gradient().size();
    if (frozen) return gpu::copy(c, dy, dx, count);
    gpu::map(c, bytes(count), DropoutBackward{{factor, dy, dx, count}, call.saved<uint8_t>()});
  }

 private:
  static uint64_t bytes(uint64_t elements) { return (elements + 7) / 8; }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.dropout.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::DropoutOnCuda>("plait.dropout", "plait.cuda"));
