// relu on CUDA devices.
#include <plait/sdk.hpp>

#include <plait/absorbed.hpp>
#include <plait/cuda.hpp>

using namespace plait::sdk;

namespace {

__global__ void relu_y(uint64_t count, float slope, const float* x, float* y) {
  for (uint64_t i = gpu::index(); i < count; i += gpu::stride()) y[i] = Absorbed::relu(x[i], slope);
}

__global__ void relu_dx(uint64_t count, float slope, const float* y, const float* dy, float* dx) {
  const Absorbed f{Absorbed::kRelu, slope, 0};
  for (uint64_t i = gpu::index(); i < count; i += gpu::stride()) dx[i] = f.slope(y[i]) * dy[i];
}

struct Relu {
  double slope = 0;

  static void describe(Describe<Relu>& d) { d.field("slope", &Relu::slope); }
  void forward(Context& c, In x, Out y) const {
    gpu::strided(c, x.size(), relu_y, slope, x.data(), y.data());
  }
  void backward_from_output(Context& c, In y, In dy, Out dx) const {
    gpu::strided(c, y.size(), relu_dx, slope, y.data(), dy.data(), dx.data());
  }
};

}  // namespace

PLAIT_PLUGIN("plait.relu.cuda", "1.0.0", "Apache-2.0", implementation<Relu>("plait.relu", "plait.cuda"));
