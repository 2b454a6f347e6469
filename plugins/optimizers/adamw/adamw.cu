// adamw on CUDA devices: one kernel over all weights that the host joins.
#include "adamw.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/moments.hpp>

using namespace plait::sdk;

namespace optimizers {
namespace {

struct AdamWOnCuda : AdamW {
  void step(Context& c, const OptimizerCall& call) const {
    gpu::map(c, call.count,
             gpu::MomentStep{factors(call), call.gradients.data(), call.weights.data(), call.slot(0).data(),
                             call.slot(1).data()});
  }
};

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.adamw.cuda", "1.0.0", "Apache-2.0",
             implementation<optimizers::AdamWOnCuda>("plait.adamw", "plait.cuda"));
