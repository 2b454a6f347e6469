// add on CUDA devices: one input after the other, in their order.
#include "add.h"

#include <plait/cuda/absorbed.hpp>
#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct AddOnCuda : Add {
  struct Kernel;
};

struct AddOnCuda::Kernel {
  size_t inputs;
  Absorbed f;

  Kernel(const AddOnCuda&, Context&, const LayerRequest& r, LayerNeeds& n)
      : inputs(r.inputs()), f(Absorbed::of(r)) {
    n.backward_reads(f.needs_output() ? Reads::outputs : Reads::nothing);
    n.accumulates();
    n.repeats();
  }

  void forward(Context& c, const LayerCall& call) const {
    float* y = call.output().f32().data();
    const size_t size = call.output().size();
    const float* sum = call.input(0).f32().data();
    for (size_t i = 1; i < inputs; ++i, sum = y)
      gpu::map(c, size, AddTwo{sum, call.input(i).f32().data(), y});
    if (!f.is_identity()) gpu::map(c, size, gpu::Apply{f, y, y});
  }

  // The last input first: the first one's gradient may lie where dy is.
  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    const float* y = f.needs_output() ? call.output().f32().data() : nullptr;
    const size_t size = call.output_gradient().size();
    for (size_t i = inputs; i-- > 0;) {
      if (!call.input_gradient(i)) continue;
      float* dx = call.input_gradient(i).f32().data();
      if (!f.is_identity() || call.accumulate(i)) {
        gpu::map(c, size, AddUndone{f, y, dy, dx, call.accumulate(i)});
      } else if (dx != dy) {
        gpu::copy(c, dy, dx, size);
      }
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.add.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::AddOnCuda>("plait.add", "plait.cuda"));
