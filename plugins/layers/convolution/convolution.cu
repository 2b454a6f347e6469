// convolution on CUDA devices: by cuDNN where it has a deterministic algorithm, by sums of our own elsewhere.
// Both want weights as [filters, taps, channels / groups], of which prepare makes a copy; the weights
// themselves and their gradient stay in plain order, as optimizers want them that see a whole parameter.
#include "convolution.h"

#include <plait/cuda/absorbed.hpp>
#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>

#include <memory>

#include "tiles.hpp"
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
  bool turns;                                 // plain order is another than the kernels'
  // Of the workspace: the gradient before the absorbed function, that of turned weights; then what calls
  // within a call use.
  uint64_t undone_bytes = 0, turned_bytes = 0;
#ifdef PLAIT_HAS_CUDNN
  std::unique_ptr<CudnnConvolution> cudnn;
#endif

  Kernel(const ConvolutionOnCuda& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : shape(config.shape(r)),
        grid(shape),
        f(Absorbed::of(r)),
        turns(grid.taps > 1 && grid.group_channels > 1) {
    const uint64_t rows = Checked(shape.batch) * grid.outputs;
    if (shape.training && shape.need_dw) {
      weight_split = weights_split(shape);
      bias_split = {rows, shape.filters};
    }
    n.repeats();
    n.accumulates();
    if (turns) n.prepared(Checked(shape.weights()) * sizeof(float));
    n.backward_reads(f.needs_output() ? Reads::both : Reads::inputs);
#ifdef PLAIT_HAS_CUDNN
    const OwnKernels own(shape);
    if (shape.batch > 0 && !(own.gathers && own.sums))
      cudnn = std::make_unique<CudnnConvolution>(c, shape, !own.gathers, !own.gathers, !own.sums);
#else
    static_cast<void>(c);
#endif
    if (shape.training && !f.is_identity())
      undone_bytes = round_up(Checked(rows) * shape.filters * sizeof(float), 256);
    if (turns && by_cudnn_weight_gradient())
      turned_bytes = round_up(Checked(shape.weights()) * sizeof(float), 256);
    n.workspace(Checked(undone_bytes) + turned_bytes + calls_bytes());
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

  void prepare(Context& c, const LayerCall& call) const {
    if (turns)
      gpu::map(c, shape.weights(),
               TurnedWeights{grid.group_channels, grid.taps, call.parameter(0), call.prepared<float>()});
  }

 private:
  const float* weights(const LayerCall& call) const {
    return turns ? call.prepared<float>() : call.parameter(0);
  }

  uint64_t calls_bytes() const {
    uint64_t most = bias_split.workspace_bytes(1);
    if (!by_cudnn_weight_gradient()) most = std::max(most, weights_bytes(weight_split));
#ifdef PLAIT_HAS_CUDNN
    if (cudnn) most = std::max<uint64_t>(most, cudnn->workspace_bytes());
#endif
    return most;
  }
  void* calls_space(const LayerCall& call) const {
    return call.workspace<std::byte>() + undone_bytes + turned_bytes;
  }

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
    if (cudnn && cudnn->has_forward()) return cudnn->forward(c, x, weights(call), y, calls_space(call));
#endif
    gather(c, {TileShape(grid, Checked(shape.batch) * grid.outputs, false), shape.groups, x, weights(call), y,
               false});
  }
  void weight_gradient(Context& c, const LayerCall& call, const float* dy, float* dw) const {
    const float* x = call.input().f32().data();
#ifdef PLAIT_HAS_CUDNN
    if (by_cudnn_weight_gradient()) {
      float* const to = turns ? reinterpret_cast<float*>(call.workspace<std::byte>() + undone_bytes) : dw;
      cudnn->weight_gradient(c, x, dy, to, calls_space(call));
      if (turns) gpu::map(c, shape.weights(), TurnedWeights{grid.taps, grid.group_channels, to, dw});
      return;
    }
#endif
    gather_weights(c, shape, weight_split, x, dy, KeepPlain{grid.group_channels, grid.taps, dw},
                   calls_space(call));
  }
  void input_gradient(Context& c, const LayerCall& call, const float* dy, float* dx) const {
#ifdef PLAIT_HAS_CUDNN
    if (cudnn && cudnn->has_input_gradient())
      return cudnn->input_gradient(c, weights(call), dy, dx, call.accumulate(), calls_space(call));
#endif
    gather(c, {TileShape(grid, Checked(shape.batch) * grid.inputs, true), shape.groups, dy, weights(call), dx,
               call.accumulate()});
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
