// sgd on CUDA devices.
#include <plait/sdk.hpp>

#include <plait/cuda.hpp>

#include "element.h"

using namespace plait::sdk;

namespace {

__global__ void step_kernel(uint64_t count, sgd::Numbers n, const float* g, float* v, float* w) {
  for (uint64_t i = gpu::index(); i < count; i += gpu::stride()) {
    float velocity = v ? v[i] : 0;
    w[i] = sgd::step(n, g[i], w[i], velocity);
    if (v) v[i] = velocity;
  }
}

struct Sgd {
  double rate = 0.01, momentum = 0, weight_decay = 0, dampening = 0;
  bool nesterov = false;
  static constexpr bool elementwise = true;

  static void describe(Describe<Sgd>& d) {
    d.field("rate", &Sgd::rate).runtime();
    d.field("momentum", &Sgd::momentum).runtime();
    d.field("weight_decay", &Sgd::weight_decay).runtime();
    d.field("nesterov", &Sgd::nesterov);
    d.field("dampening", &Sgd::dampening);
  }
  void open(Context&) { has_velocity_ = momentum > 0; }
  void step(Context& c, const OptimizerCall& call) const {
    const sgd::Numbers numbers{static_cast<float>(rate), static_cast<float>(has_velocity_ ? momentum : 0),
                               static_cast<float>(call.decay() ? weight_decay : 0), nesterov,
                               static_cast<float>(call.updates == 0 ? 1 : 1 - dampening)};
    gpu::strided(c, call.count, step_kernel, numbers, call.gradients.data(),
                 has_velocity_ ? call.slot(0).data() : nullptr, call.weights.data());
  }

 private:
  bool has_velocity_ = false;  // by the momentum in the file, not by what a schedule makes of it
};

}  // namespace

PLAIT_PLUGIN("plait.sgd.cuda", "1.0.0", "Apache-2.0", implementation<Sgd>("plait.sgd", "plait.cuda"));
