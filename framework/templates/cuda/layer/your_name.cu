// The layer's kernels for the device your_device, or any other of CUDA memory: forward and backward queue
// them on the call's stream, and nothing waits.
#include "your_name.h"

#include <plait/cuda.hpp>

using namespace plait::sdk;

namespace your_vendor {
namespace {

__global__ void forward_kernel(uint64_t count, float beta, const float* x, float* y) {
  const uint64_t i = gpu::index();
  if (i < count) y[i] = x[i] / (1 + expf(-beta * x[i]));
}

__global__ void backward_kernel(uint64_t count, float beta, const float* x, const float* dy, float* dx) {
  const uint64_t i = gpu::index();
  if (i >= count) return;
  const float s = 1 / (1 + expf(-beta * x[i]));
  dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
}

struct YourNameOnCuda : YourName {
  void forward(Context& c, In x, Out y) const {
    gpu::each(c, x.size(), forward_kernel, beta, x.data(), y.data());
  }
  void backward(Context& c, In x, In dy, Out dx) const {
    gpu::each(c, x.size(), backward_kernel, beta, x.data(), dy.data(), dx.data());
  }
};

}  // namespace

Entry on_cuda() { return implementation<YourNameOnCuda>("your_vendor.your_name", "your_device"); }

}  // namespace your_vendor
