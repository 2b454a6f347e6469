// The optimizer's kernel for the device your_device, or any other of CUDA memory: step queues it on the
// call's stream, and nothing waits.
#include "your_name.h"

#include <plait/cuda.hpp>

using namespace plait::sdk;

namespace your_vendor {
namespace {

__global__ void step_kernel(uint64_t count, float size, float m, const float* g, float* v, float* w) {
  const uint64_t i = gpu::index();
  if (i >= count) return;
  v[i] = m * v[i] + (1 - m) * g[i];
  w[i] -= size * static_cast<float>((v[i] > 0) - (v[i] < 0));
}

struct YourNameOnCuda : YourName {
  void step(Context& c, const OptimizerCall& call) const {
    gpu::each(c, call.count, step_kernel, rate, momentum, call.gradients.data(), call.slot(0).data(),
              call.weights.data());
  }
};

}  // namespace

Entry on_cuda() { return implementation<YourNameOnCuda>("your_vendor.your_name", "your_device"); }

}  // namespace your_vendor
