// add on CUDA devices: one input after the other, in their order.
#include "add.h"

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct AddOnCuda : Add {
  void needs(const LayerRequest& r, LayerNeeds& n) const {
    Add::needs(r, n);
    n.repeats();
  }
  void forward(Context& c, const LayerCall& call) const {
    float* y = call.output().f32().data();
    const float* sum = call.input(0).f32().data();
    for (size_t i = 1; i < call.inputs(); ++i, sum = y)
      gpu::map(c, call.output().size(), AddTwo{sum, call.input(i).f32().data(), y});
  }
  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    const size_t size = call.output_gradient().size();
    for (size_t i = 0; i < call.inputs(); ++i) {
      if (!call.input_gradient(i)) continue;
      float* dx = call.input_gradient(i).f32().data();
      if (call.accumulate(i)) {
        gpu::map(c, size, AddTwo{dx, dy, dx});
      } else {
        gpu::copy(c, dy, dx, size);
      }
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.add.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::AddOnCuda>("plait.add", "plait.cuda"));
