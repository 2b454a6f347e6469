// sigmoid on CUDA devices.
#include "sigmoid.h"

#include <plait/cuda/absorbed.hpp>
#include <plait/cuda/map.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct SigmoidOnCuda : Sigmoid {
  void forward(Context& c, In x, Out y) const {
    gpu::map(c, x.size(), gpu::Apply{function(), x.data(), y.data()});
  }
  void backward_from_output(Context& c, In y, In dy, Out dx) const {
    gpu::map(c, y.size(), gpu::Undo{function(), y.data(), dy.data(), dx.data()});
  }

 private:
  static Absorbed function() { return {Absorbed::kSigmoid, 0, 0}; }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.sigmoid.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::SigmoidOnCuda>("plait.sigmoid", "plait.cuda"));
