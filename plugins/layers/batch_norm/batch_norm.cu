// batch_norm on CUDA devices: sums over rows in f64, in the order of ColumnSplit, then a thread an element.
#include "batch_norm.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>

#include <algorithm>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct BatchNormOnCuda : BatchNorm {
  struct Kernel;
};

struct BatchNormOnCuda::Kernel {
  const BatchNormOnCuda& config;
  uint64_t channels, size;
  gpu::ColumnSplit split;
  bool fixed;  // by the running statistics, in training too
  Absorbed f;

  Kernel(const BatchNormOnCuda& config_, Context&, const LayerRequest& r, LayerNeeds& n)
      : config(config_),
        channels(static_cast<uint64_t>(r.input().shape(-1))),
        size(r.input().size()),
        split(size / std::max<uint64_t>(channels, 1), channels),
        fixed(r.parameters_frozen() && !config_.adapt_frozen),
        f(Absorbed::of(r)) {
    if (r.training() && !fixed && split.rows == 1)
      throw Error("input is ", r.input(),
                  ": one value a channel has no variance to train by; wanted a batch of 2 or more");
    n.repeats();
    n.backward_reads(f.needs_output() ? (fixed ? Reads::outputs : Reads::both)
                                      : (fixed ? Reads::nothing : Reads::inputs));
    if (r.training() && !fixed) n.saved(2 * channels * sizeof(float));  // mean, 1 / deviation
    n.workspace(Checked(sums_bytes()) + Checked(3) * channels * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    const BatchNormFactors by = {numbers(call, 0), numbers(call, 1), numbers(call, 2)};
    if (call.training() && !fixed) {
      learn(c, call, x, by);
    } else {
      by_running(c, call, by);
    }
    gpu::map(c, size, BatchNormApply{f, channels, x, call.output().f32().data(), by});
  }

  void backward(Context& c, const LayerCall& call) const {
    if (fixed) return backward_fixed(c, call);
    const float *x = call.input().f32().data(), *mean = call.saved<float>();
    const BatchNormUndone d = undone(call);
    const BatchNormSlopes by = {numbers(call, 0), numbers(call, 1), numbers(call, 2)};
    gpu::sum_columns(c, split, BatchNormGradientTerms{d, x, mean},
                     BatchNormGradients{count(), channels, call.parameter(0), mean,
                                        call.parameter_gradient(0), call.parameter_gradient(1), by},
                     call.workspace());
    if (!call.input_gradient()) return;
    gpu::map(c, size, BatchNormInputGradient{channels, d, x, mean, call.input_gradient().f32().data(), by});
  }

 private:
  BatchNormUndone undone(const LayerCall& call) const {
    const float* y = f.needs_output() ? call.output().f32().data() : nullptr;
    return {f, y, call.output_gradient().f32().data()};
  }
  double count() const { return static_cast<double>(split.rows); }
  uint64_t sums_bytes() const { return split.workspace_bytes(BatchNormTerms::kSums); }
  // [channels] of the workspace, after the sums.
  float* numbers(const LayerCall& call, uint64_t which) const {
    return call.workspace<float>() + sums_bytes() / sizeof(float) + which * channels;
  }

  // The sums are taken about the batch's first row: see batch_norm.cc.
  void learn(Context& c, const LayerCall& call, const float* x, const BatchNormFactors& to) const {
    gpu::sum_columns(
        c, split, BatchNormTerms{x, x, x, x},
        BatchNormLearn{count(), config.share(call), config.epsilon, channels, x, call.parameter(0),
                       call.parameter(1), call.saved<float>(), call.buffer(0), call.buffer(1), to},
        call.workspace());
  }
  void by_running(Context& c, const LayerCall& call, const BatchNormFactors& to) const {
    gpu::map(c, channels,
             BatchNormRunning{config.epsilon, call.buffer(0), call.buffer(1), call.parameter(0),
                              call.parameter(1), to});
  }
  void backward_fixed(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    by_running(c, call, {numbers(call, 0), numbers(call, 1), numbers(call, 2)});
    gpu::map(
        c, size,
        BatchNormFixedGradient{channels, undone(call), numbers(call, 0), call.input_gradient().f32().data()});
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.batch_norm.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::BatchNormOnCuda>("plait.batch_norm", "plait.cuda"));
