// sam on CUDA devices. The length of the gradient is the host's to add up over parameters: observe waits.
#include "sam.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/scratch.hpp>
#include <plait/cuda/sums.hpp>

#include <cmath>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace optimizers {
namespace {

struct SamOnCuda : Sam {
  double observe(Context& c, const OptimizerCall& call) const {
    const gpu::ColumnSplit split(call.count, 1);
    auto* const made = reinterpret_cast<double*>(gpu::scratch(c));
    gpu::sum_columns(c, split, SamLength{call.gradients.data()}, SamKeep{made}, made + 1);
    double sum = 0;
    gpu::check(cudaMemcpyAsync(&sum, made, sizeof sum, cudaMemcpyDeviceToHost, gpu::stream(c)),
               "the length of a gradient");
    gpu::check(cudaStreamSynchronize(gpu::stream(c)), "the length of a gradient");
    return sum;
  }
  void move(Context& c, const OptimizerCall& call) const {
    if (call.observed == 0) return;
    const auto share = static_cast<float>(rho / std::sqrt(call.observed));
    gpu::map(c, call.count, SamClimb{share, call.gradients.data(), call.weights.data()});
  }
  void step(Context& c, const OptimizerCall& call) const {
    const auto decay = static_cast<float>(call.decay() ? weight_decay : 0);
    gpu::map(c, call.count,
             SamDescend{static_cast<float>(rate), decay, static_cast<float>(momentum), call.gradients.data(),
                        call.weights.data(), call.slot(0).data()});
  }
};

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.sam.cuda", "1.0.0", "Apache-2.0",
             implementation<optimizers::SamOnCuda>("plait.sam", "plait.cuda"));
