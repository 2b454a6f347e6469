// batch_norm on CUDA devices: sums over rows in f64, in the order of ColumnSplit, then a thread an element.
#include "batch_norm.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>

#include <algorithm>

#include "cuda_work.hpp"
#include "rows.h"

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
  BatchRows host_rows;
  bool fixed;  // by the running statistics, in training too
  Absorbed f;

  Kernel(const BatchNormOnCuda& config_, Context&, const LayerRequest& r, LayerNeeds& n)
      : config(config_),
        channels(static_cast<uint64_t>(r.input().shape(-1))),
        size(r.input().size()),
        split(size / std::max<uint64_t>(channels, 1), channels),
        host_rows(r.input()),
        fixed(r.parameters_frozen() && !config_.adapt_frozen),
        f(Absorbed::of(r)) {
    if (r.training() && !fixed && split.rows == 1)
      throw Error("input is ", r.input(),
                  ": one value a channel has no variance to train by; wanted a batch of 2 or more");
    if (!host_rows.vary()) n.repeats();  // else extents and the count differ from step to step
    n.backward_reads(f.needs_output() ? (fixed ? Reads::outputs : Reads::both)
                                      : (fixed ? Reads::nothing : Reads::inputs));
    if (r.training() && !fixed) n.saved(2 * channels * sizeof(float));  // mean, 1 / deviation
    n.workspace(Checked(extents_at()) + 2 * extent_bytes(r.input()));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    const BatchNormFactors by = {numbers(call, 0), numbers(call, 1), numbers(call, 2)};
    const BatchNormRows rows = rows_of(c, call);
    if (call.training() && !fixed) {
      learn(c, call, x, rows, by);
    } else {
      by_running(c, call, by);
    }
    gpu::map(c, size, BatchNormApply{f, channels, x, call.output().f32().data(), by, rows});
  }

  void backward(Context& c, const LayerCall& call) const {
    if (fixed) return backward_fixed(c, call);
    const float *x = call.input().f32().data(), *mean = call.saved<float>();
    const BatchNormUndone d = undone(call);
    const BatchNormSlopes by = {numbers(call, 0), numbers(call, 1), numbers(call, 2)};
    const BatchNormRows rows = rows_of(c, call);
    gpu::sum_columns(c, split, BatchNormGradientTerms{d, x, mean, rows},
                     BatchNormGradients{count(call), channels, call.parameter(0), mean,
                                        call.parameter_gradient(0), call.parameter_gradient(1), by},
                     call.workspace());
    if (!call.input_gradient()) return;
    float* const dx = call.input_gradient().f32().data();
    gpu::map(c, size, BatchNormInputGradient{channels, d, x, mean, dx, by, rows});
  }

 private:
  BatchNormUndone undone(const LayerCall& call) const {
    const float* y = f.needs_output() ? call.output().f32().data() : nullptr;
    return {f, y, call.output_gradient().f32().data()};
  }
  double count(const LayerCall& call) const { return static_cast<double>(host_rows.count(call.input())); }
  uint64_t sums_bytes() const { return split.workspace_bytes(BatchNormTerms::kSums); }
  // [channels] of the workspace, after the sums.
  float* numbers(const LayerCall& call, uint64_t which) const {
    return call.workspace<float>() + sums_bytes() / sizeof(float) + which * channels;
  }

  // Extents lie in the workspace after these.
  uint64_t extents_at() const { return round_up(sums_bytes() + 3 * channels * sizeof(float), 64); }
  template <class Shaped>
  static uint64_t extent_bytes(const Shaped& x) {
    if (x.variable_axis() < 0) return 0;
    return round_up(static_cast<size_t>(x.shape(0)) * sizeof(int32_t), 64);
  }
  // Extents are the host's: they are copied to where kernels reach them.
  static const int32_t* on_device(Context& c, std::span<const int32_t> extents, std::byte* to) {
    if (extents.empty()) return nullptr;
    gpu::check(
        cudaMemcpyAsync(to, extents.data(), extents.size_bytes(), cudaMemcpyHostToDevice, gpu::stream(c)),
        "the extents of samples");
    return reinterpret_cast<const int32_t*>(to);
  }
  BatchNormRows rows_of(Context& c, const LayerCall& call) const {
    const Tensor x = call.input();
    std::byte* const space = call.workspace<std::byte>() + extents_at();
    return {SamplePlaces(x), channels, on_device(c, x.lengths(), space),
            on_device(c, x.second_lengths(), space + extent_bytes(x))};
  }

  // The sums are taken about the first row that there is: see batch_norm.cc.
  void learn(Context& c, const LayerCall& call, const float* x, const BatchNormRows& rows,
             const BatchNormFactors& to) const {
    if (host_rows.vary() && count(call) < 2)
      throw Error("the samples of the batch have ", count(call),
                  " values a channel, which have no variance to train by; wanted 2 or more");
    const float* const about = x + host_rows.first(call.input()) * channels;
    gpu::sum_columns(
        c, split, BatchNormTerms{x, about, x, about, rows},
        BatchNormLearn{count(call), config.share(call), config.epsilon, channels, about, call.parameter(0),
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
    float* const dx = call.input_gradient().f32().data();
    gpu::map(c, size, BatchNormFixedGradient{channels, undone(call), numbers(call, 0), dx, rows_of(c, call)});
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.batch_norm.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::BatchNormOnCuda>("plait.batch_norm", "plait.cuda"));
