// convolution on CUDA devices: by cuDNN where it has a deterministic algorithm, by sums of our own elsewhere.
// Weights are stored as [filters, taps, channels / groups].
#include "convolution.h"

#include <plait/cuda/absorbed.hpp>
#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>

#include <memory>

#include "cuda_work.hpp"
#ifdef PLAIT_HAS_CUDNN
#include "cudnn.hpp"
#endif

using namespace plait::sdk;

namespace convolution {
namespace {

struct ConvolutionOnCuda : Convolution {
  struct Kernel;
};

struct ConvolutionOnCuda::Kernel {
  ConvolutionShape shape;
  CudaGrid grid;
  Absorbed f;
  gpu::ColumnSplit weight_split, bias_split;  // rows are outputs of all samples
  uint64_t undone_bytes = 0;                  // of the workspace, before what calls within a call use
#ifdef PLAIT_HAS_CUDNN
  std::unique_ptr<CudnnConvolution> cudnn;
#endif

  Kernel(const ConvolutionOnCuda& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : shape(config.shape(r)), grid(shape), f(Absorbed::of(r)) {
    const uint64_t rows = Checked(shape.batch) * grid.outputs;
    if (shape.training && shape.need_dw) {
      weight_split = {rows, shape.weights()};
      bias_split = {rows, shape.filters};
    }
    n.repeats();
    n.accumulates();
    n.stored_elements(0, shape.weights());
    n.backward_reads(f.needs_output() ? Reads::both : Reads::inputs);
#ifdef PLAIT_HAS_CUDNN
    if (shape.batch > 0) cudnn = std::make_unique<CudnnConvolution>(c, shape);
#else
    static_cast<void>(c);
#endif
    if (shape.training && !f.is_identity())
      undone_bytes = round_up(Checked(rows) * shape.filters * sizeof(float), 256);
    n.workspace(Checked(undone_bytes) + calls_bytes());
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    convolve(c, call, x, y);
    if (shape.has_bias || !f.is_identity())
      gpu::map(c, call.output().size(),
               gpu::AddBias{f, shape.has_bias ? call.parameter(1) : nullptr, shape.filters, y});
  }

  void backward(Context& c, const LayerCall& call) const {
    const float* dy = undone(c, call);
    if (float* dw = call.parameter_gradient(0)) weight_gradient(c, call, dy, dw);
    if (float* db = shape.has_bias ? call.parameter_gradient(1) : nullptr)
      gpu::sum_columns(c, bias_split, gpu::SumOf{dy}, gpu::KeepFirst{db}, calls_space(call));
    if (call.input_gradient()) input_gradient(c, call, dy, call.input_gradient().f32().data());
  }

  void pack(Context&, uint32_t index, const float* plain, float* stored) const {
    if (index != 0) return void(std::copy_n(plain, shape.filters, stored));
    each_weight([&](size_t from, size_t to) { stored[to] = plain[from]; });
  }
  void unpack(Context&, uint32_t index, const float* stored, float* plain) const {
    if (index != 0) return void(std::copy_n(stored, shape.filters, plain));
    each_weight([&](size_t to, size_t from) { plain[to] = stored[from]; });
  }

 private:
  // body(place in plain order, place in stored order)
  template <class Body>
  void each_weight(const Body& body) const {
    size_t plain = 0;
    for (size_t k = 0; k < shape.filters; ++k)
      for (size_t c = 0; c < grid.group_channels; ++c)
        for (size_t t = 0; t < grid.taps; ++t, ++plain)
          body(plain, (k * grid.taps + t) * grid.group_channels + c);
  }

  uint64_t calls_bytes() const {
    uint64_t most = bias_split.workspace_bytes(1);
    if (!by_cudnn_weight_gradient()) most = std::max(most, weight_split.workspace_bytes(1));
#ifdef PLAIT_HAS_CUDNN
    if (cudnn) most = std::max<uint64_t>(most, cudnn->workspace_bytes());
#endif
    return most;
  }
  void* calls_space(const LayerCall& call) const { return call.workspace<std::byte>() + undone_bytes; }

  // The gradient of what the absorbed function was applied to.
  const float* undone(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    if (f.is_identity()) return dy;
    auto* to = call.workspace<float>();
    const float* y = f.needs_output() ? call.output().f32().data() : nullptr;
    gpu::map(c, call.output_gradient().size(), gpu::Undo{f, y, dy, to});
    return to;
  }

#ifdef PLAIT_HAS_CUDNN
  bool by_cudnn_weight_gradient() const { return cudnn && cudnn->has_weight_gradient(); }
#else
  bool by_cudnn_weight_gradient() const { return false; }
#endif

  void convolve(Context& c, const LayerCall& call, const float* x, float* y) const {
#ifdef PLAIT_HAS_CUDNN
    if (cudnn && cudnn->has_forward()) return cudnn->forward(c, x, call.parameter(0), y, calls_space(call));
#endif
    gpu::map(c, call.output().size(), ConvolveForward{grid, x, call.parameter(0), y});
  }
  void weight_gradient(Context& c, const LayerCall& call, const float* dy, float* dw) const {
    const float* x = call.input().f32().data();
#ifdef PLAIT_HAS_CUDNN
    if (by_cudnn_weight_gradient()) return cudnn->weight_gradient(c, x, dy, dw, calls_space(call));
#endif
    gpu::sum_columns(c, weight_split, ConvolveWeightGradient{grid, x, dy}, gpu::KeepFirst{dw},
                     calls_space(call));
  }
  void input_gradient(Context& c, const LayerCall& call, const float* dy, float* dx) const {
#ifdef PLAIT_HAS_CUDNN
    if (cudnn && cudnn->has_input_gradient())
      return cudnn->input_gradient(c, call.parameter(0), dy, dx, call.accumulate(), calls_space(call));
#endif
    gpu::map(c, call.input_gradient().size(),
             ConvolveInputGradient{grid, dy, call.parameter(0), dx, call.accumulate()});
  }
};

}  // namespace

// What of cuDNN decides the bits here.
Entry facts() {
#ifdef PLAIT_HAS_CUDNN
  return numerics(&plait_cuda::cudnn_facts);
#else
  return {};
#endif
}

}  // namespace convolution

PLAIT_PLUGIN("plait.convolution.cuda", "1.0.0", "Apache-2.0",
             implementation<convolution::ConvolutionOnCuda>("plait.convolution", "plait.cuda"),
             convolution::facts());
