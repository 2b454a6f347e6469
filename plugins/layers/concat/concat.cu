// concat on CUDA devices.
#include "concat.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/rows.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct ConcatOnCuda : Concat {
  void needs(const LayerRequest&, LayerNeeds& n) const {
    n.backward_reads(Reads::nothing);
    n.repeats();
  }
  void forward(Context& c, const LayerCall& call) const {
    const size_t whole = run(call.output());
    float* y = call.output().f32().data();
    for (size_t i = 0; i < call.inputs(); ++i) {
      const size_t part = run(call.input(i));
      gpu::map(c, call.input(i).size(), gpu::CopyRows{part, call.input(i).f32().data(), part, y, whole});
      y += part;
    }
  }
  void backward(Context& c, const LayerCall& call) const {
    const size_t whole = run(call.output_gradient());
    const float* dy = call.output_gradient().f32().data();
    for (size_t i = 0; i < call.inputs(); ++i) {
      const size_t part = run(call.input(i));
      if (call.input_gradient(i))
        gpu::map(c, call.input(i).size(),
                 gpu::CopyRows{part, dy, whole, call.input_gradient(i).f32().data(), part});
      dy += part;
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.concat.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::ConcatOnCuda>("plait.concat", "plait.cuda"));
