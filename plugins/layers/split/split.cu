// split on CUDA devices.
#include "split.h"

#include <plait/cuda/rows.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct SplitOnCuda : Split {
  void needs(const LayerRequest& r, LayerNeeds& n) const {
    Split::needs(r, n);
    n.repeats();
  }
  void forward(Context& c, const LayerCall& call) const {
    const Sizes z(*this, call.input());
    const float* x = call.input().f32().data();
    gpu::copy_rows(c, x, z.all, call.output(0).f32().data(), z.first, z.first, z.rows * z.first);
    gpu::copy_rows(c, x + z.first, z.all, call.output(1).f32().data(), z.second, z.second, z.rows * z.second);
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Sizes z(*this, call.input_gradient());
    float* dx = call.input_gradient().f32().data();
    const float *da = call.output_gradient(0).f32().data(), *db = call.output_gradient(1).f32().data();
    gpu::copy_rows(c, da, z.first, dx, z.all, z.first, z.rows * z.first);
    gpu::copy_rows(c, db, z.second, dx + z.first, z.all, z.second, z.rows * z.second);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.split.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::SplitOnCuda>("plait.split", "plait.cuda"));
