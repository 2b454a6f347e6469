// recurrent_cell on CUDA devices: what does not wait for the step before is one product over all steps; the
// rest is one kernel, of which a block takes a sample from its first step to its last.
#include "recurrent_cell.h"

#include <plait_cuda/cublas_lt.h>
#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>

#include <algorithm>
#include <memory>

#include "cuda_work.hpp"

using namespace plait::sdk;
using plait_cuda::Product;

namespace layers {
namespace {

__global__ void forward_kernel(RecurrentForward work) {
  for (uint64_t step = 0; step < work.s.steps; ++step) {
    for (uint64_t i = threadIdx.x; i < work.s.units; i += blockDim.x) work.unit(blockIdx.x, step, i);
    __syncthreads();
  }
}

__global__ void backward_kernel(RecurrentBackward work) {
  for (uint64_t step = work.s.steps; step-- > 0;) {
    for (uint64_t i = threadIdx.x; i < work.s.units; i += blockDim.x) work.gates(blockIdx.x, step, i);
    __syncthreads();
    for (uint64_t i = threadIdx.x; i < work.s.units; i += blockDim.x) work.back(blockIdx.x, step, i);
    __syncthreads();
  }
}

struct RecurrentCellOnCuda : RecurrentCell {
  struct Kernel;
};

struct RecurrentCellOnCuda::Kernel {
  RecurrentSizes s;
  uint64_t channels, all;  // all: steps of all samples
  bool varies;             // samples have lengths
  gpu::ColumnSplit bias_split;
  // In cuBLAS's words, by columns: x [channels, all], a [rows, all], Wi [channels, rows], h [units, all].
  std::unique_ptr<Product> a, dwi, dwh, dx;
  uint64_t products_bytes = 0;

  Kernel(const RecurrentCellOnCuda& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : s{static_cast<uint64_t>(r.input().shape(0)),
          static_cast<uint64_t>(r.input().shape(1)),
          static_cast<uint64_t>(config.units),
          static_cast<uint64_t>(config.gates() * config.units),
          config.cell == Cell::kGru,
          nullptr},
        channels(static_cast<uint64_t>(r.input().shape(2))),
        all(Checked(s.batch) * s.steps),
        varies(r.input().variable_axis() >= 0),
        bias_split(all, s.rows) {
    if (!varies) n.repeats();
    if (r.training()) n.saved(Checked(all) * kept() * sizeof(float));
    n.prepared(Checked(s.rows) * s.units * sizeof(float));
    plan(c, r);
    n.workspace(Checked(Space(*this, nullptr, r.training()).numbers) * sizeof(float) + products_bytes);
  }

  // Wh with its columns side by side.
  void prepare(Context& c, const LayerCall& call) const {
    gpu::map(c, s.rows * s.units, Transpose{s.rows, s.units, call.parameter(1), call.prepared<float>()});
  }

  void forward(Context& c, const LayerCall& call) const {
    if (all == 0) return;
    const Space space(*this, call.workspace<float>(), false);
    const RecurrentSizes sizes = with_lengths(c, call, space);
    a->run(c, call.parameter(0), steps_that_are(c, call, sizes, space), space.da, space.products(),
           call.parameter(2));
    float* const saved = call.training() && s.gru ? call.saved<float>() : nullptr;
    const RecurrentForward work{
        sizes, space.da, call.prepared<float>(), call.parameter(3), call.output().f32().data(), saved};
    gpu::launch(c, blocks(), threads(), forward_kernel, work);
  }

  void backward(Context& c, const LayerCall& call) const {
    const Space space(*this, call.workspace<float>(), true);
    const RecurrentSizes sizes = with_lengths(c, call, space);
    const float* x = steps_that_are(c, call, sizes, space);
    if (all > 0) walk_back(c, call, sizes, space);
    product(c, dwi.get(), x, space.da, call.parameter_gradient(0), s.rows * channels, space);
    product(c, dwh.get(), space.before, space.db, call.parameter_gradient(1), s.rows * s.units, space);
    bias(c, space.da, call.parameter_gradient(2), space);
    bias(c, space.db, call.parameter_gradient(3), space);
    if (call.input_gradient() && dx)
      dx->run(c, call.parameter(0), space.da, call.input_gradient().f32().data(), space.products());
  }

 private:
  // Parts of the workspace, in f32 numbers. Forward has a = Wi x + bi where backward has its gradient.
  struct Space {
    float *begin, *lengths, *x, *da, *db, *before, *dh;
    uint64_t numbers = 0;

    Space(const Kernel& k, float* from, bool backward) : begin(from) {
      const uint64_t gates = Checked(k.all) * k.s.rows, states = Checked(k.all) * k.s.units;
      lengths = take(k.varies ? k.s.batch : 0);
      x = take(k.varies ? uint64_t{Checked(k.all) * k.channels} : 0);
      da = take(gates);
      db = k.s.gru ? take(backward ? gates : 0) : da;
      before = take(backward ? states : 0);
      dh = take(backward ? k.s.batch * k.s.units : 0);
    }
    // What products and sums of columns use.
    void* products() const { return begin + numbers; }

   private:
    float* take(uint64_t count) {
      float* const part = begin ? begin + numbers : nullptr;
      numbers = Checked(numbers) + round_up(count, 64);
      return part;
    }
  };

  uint64_t kept() const { return s.gru ? 4 * s.units : 0; }
  dim3 blocks() const { return gpu::blocks_for(s.batch, 1); }
  dim3 threads() const {
    return dim3(static_cast<unsigned>(std::min<uint64_t>(gpu::kThreads, (s.units + 31) / 32 * 32)));
  }

  void plan(const Context& c, const LayerRequest& r) {
    using Matrix = Product::Matrix;
    if (all == 0) return;
    if (channels == 0) throw Unsupported("the device wants channels, got ", r.input());
    const auto make = [&](std::unique_ptr<Product>& to, Matrix first, Matrix second,
                          Product::Then then = Product::Then::kNothing) {
      to = std::make_unique<Product>(c, first, second, then);
      products_bytes = std::max(products_bytes, to->workspace());
    };
    make(a, {channels, s.rows, true}, {channels, all}, Product::Then::kAddBias);
    if (r.input_gradient_needed()) make(dx, {channels, s.rows}, {s.rows, all});
    if (!r.training() || r.parameters_frozen()) return;
    make(dwi, {channels, all}, {s.rows, all, true});
    make(dwh, {s.units, all}, {s.rows, all, true});
    products_bytes = std::max(products_bytes, bias_split.workspace_bytes(1));
  }

  // Lengths are the host's: they are copied to where kernels reach them.
  RecurrentSizes with_lengths(Context& c, const LayerCall& call, const Space& space) const {
    RecurrentSizes sizes = s;
    const auto lengths = call.input().lengths();
    if (!varies || lengths.empty()) return sizes;
    gpu::check(cudaMemcpyAsync(space.lengths, lengths.data(), lengths.size_bytes(), cudaMemcpyHostToDevice,
                               gpu::stream(c)),
               "the lengths of samples");
    sizes.lengths = reinterpret_cast<const int32_t*>(space.lengths);
    return sizes;
  }
  // What lies past a sample's end may be NaN, and meets zeros in sums.
  const float* steps_that_are(Context& c, const LayerCall& call, const RecurrentSizes& sizes,
                              const Space& space) const {
    const float* x = call.input().f32().data();
    if (!sizes.lengths) return x;
    gpu::map(c, all * channels, StepsThatAre{sizes, channels, x, space.x});
    return space.x;
  }
  void walk_back(Context& c, const LayerCall& call, const RecurrentSizes& sizes, const Space& space) const {
    const float *y = call.output().f32().data(), *dy = call.output_gradient().f32().data();
    const RecurrentBackward work{sizes,    y,        dy,      call.saved<float>(), call.parameter(1),
                                 space.da, space.db, space.dh};
    gpu::launch(c, blocks(), threads(), backward_kernel, work);
    gpu::map(c, all * s.units, StatesBefore{sizes, y, space.before});
  }

  // A sum over no steps is zero.
  static void product(Context& c, const Product* by, const float* first, const float* second, float* to,
                      uint64_t count, const Space& space) {
    if (!to) return;
    if (by) return by->run(c, first, second, to, space.products());
    gpu::check(cudaMemsetAsync(to, 0, count * sizeof(float), gpu::stream(c)), "a gradient of no steps");
  }
  void bias(Context& c, const float* gradient, float* to, const Space& space) const {
    if (to) gpu::sum_columns(c, bias_split, gpu::SumOf{gradient}, gpu::KeepFirst{to}, space.products());
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.recurrent_cell.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::RecurrentCellOnCuda>("plait.recurrent_cell", "plait.cuda"));
