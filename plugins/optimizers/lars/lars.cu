// lars on CUDA devices. A parameter's rate stays on the card: nothing waits for it.
#include "lars.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/scratch.hpp>
#include <plait/cuda/sums.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace optimizers {
namespace {

struct LarsOnCuda : Lars {
  void step(Context& c, const OptimizerCall& call) const {
    const double decay = call.decay() ? weight_decay : 0;
    gpu::map(
        c, call.count,
        LarsStep{local_rate(c, call, decay), rate, static_cast<float>(decay), static_cast<float>(momentum),
                 call.gradients.data(), call.weights.data(), call.slot(0).data()});
  }

 private:
  // Where the card finds it; null: there is none.
  const double* local_rate(Context& c, const OptimizerCall& call, double decay) const {
    if (!call.decay()) return nullptr;
    const gpu::ColumnSplit split(call.count, 1);
    auto* const made = reinterpret_cast<double*>(gpu::scratch(c));
    gpu::sum_columns(c, split, LarsLengths{call.weights.data(), call.gradients.data()},
                     LarsRate{rate, trust, decay, made}, made + 1);
    return made;
  }
};

static_assert(gpu::ColumnSplit::kMostBlocks * 2 * sizeof(double) * LarsLengths::kSums < gpu::kScratchBytes);

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.lars.cuda", "1.0.0", "Apache-2.0",
             implementation<optimizers::LarsOnCuda>("plait.lars", "plait.cuda"));
