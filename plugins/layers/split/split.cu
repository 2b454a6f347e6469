// split on CUDA devices.
#include "split.h"

#include <plait/cuda/map.hpp>
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
    gpu::map(c, z.rows * z.first, gpu::CopyRows{z.first, x, z.all, call.output(0).f32().data(), z.first});
    gpu::map(c, z.rows * z.second,
             gpu::CopyRows{z.second, x + z.first, z.all, call.output(1).f32().data(), z.second});
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Sizes z(*this, call.input_gradient());
    float* dx = call.input_gradient().f32().data();
    const float *da = call.output_gradient(0).f32().data(), *db = call.output_gradient(1).f32().data();
    gpu::map(c, z.rows * z.first, gpu::CopyRows{z.first, da, z.first, dx, z.all});
    gpu::map(c, z.rows * z.second, gpu::CopyRows{z.second, db, z.second, dx + z.first, z.all});
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.split.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::SplitOnCuda>("plait.split", "plait.cuda"));
