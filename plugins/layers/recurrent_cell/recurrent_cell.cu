// recurrent_cell on CUDA devices: what does not wait for the step before is one product over all steps; the rest
// is one kernel, of which a block takes a sample from its first step to its last.
#include "recurrent_cell.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>
#include <plait_cuda/cublas_lt.h>

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
  gpu::ColumnSplit bias_split;
  // In cuBLAS's words, by columns: x [channels, all], a [rows, all], Wi [channels, rows], h [units, all].
  std::unique_ptr<Product> a, dwi, dwh, dx;
  uint64_t products_bytes = 0;

  Kernel(const RecurrentCellOnCuda& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : s{static_cast<uint64_t>(r.input().shape(0)), static_cast<uint64_t>(r.input().shape(1)),
          static_cast<uint64_t>(config.units), static_cast<uint64_t>(config.gates() * config.units),
          config.cell == Cell::kGru},
        channels(static_cast<uint64_t>(r.input().shape(2))),
        all(Checked(s.batch) * s.steps),
        bias_split(all, s.rows) {
    if (r.input().variable_axis() >= 0)
      throw Unsupported("the device wants fixed extents, got ", r.input(), " of which axis ",
                        r.input().variable_axis(), " varies");
    n.repeats();
    if (r.training()) n.saved(Checked(all) * kept() * sizeof(float));
    n.prepared(Checked(s.rows) * s.units * sizeof(float));
    plan(c, r);
    n.workspace(Checked(numbers(r.training())) * sizeof(float) + products_bytes);
  }

  // Wh with its columns side by side.
  void prepare(Context& c, const LayerCall& call) const {
    gpu::map(c, s.rows * s.units, Transpose{s.rows, s.units, call.parameter(1), call.prepared<float>()});
  }

  void forward(Context& c, const LayerCall& call) const {
    if (all == 0) return;
    auto* const sums = call.workspace<float>();
    a->run(c, call.parameter(0), call.input().f32().data(), sums, products(call, false), call.parameter(2));
    const RecurrentForward work{s, sums, call.prepared<float>(), call.parameter(3), call.output().f32().data(),
                                call.training() && s.gru ? call.saved<float>() : nullptr};
    gpu::launch(c, blocks(), gpu::kThreads, forward_kernel, work);
  }

  void backward(Context& c, const LayerCall& call) const {
    float *const da = call.workspace<float>(), *const db = s.gru ? da + all * s.rows : da;
    float *const before = db + all * s.rows, *const dh = before + all * s.units;
    void* const space = products(call, true);
    const float *x = call.input().f32().data(), *y = call.output().f32().data();
    if (all > 0) {
      const RecurrentBackward work{s,  y,  call.output_gradient().f32().data(), call.saved<float>(), call.parameter(1),
                                   da, db, dh};
      gpu::launch(c, blocks(), gpu::kThreads, backward_kernel, work);
      gpu::map(c, all * s.units, StatesBefore{s, y, before});
    }
    product(c, dwi.get(), x, da, call.parameter_gradient(0), s.rows * channels, space);
    product(c, dwh.get(), before, db, call.parameter_gradient(1), s.rows * s.units, space);
    bias(c, da, call.parameter_gradient(2), space);
    bias(c, db, call.parameter_gradient(3), space);
    if (call.input_gradient() && dx)
      dx->run(c, call.parameter(0), da, call.input_gradient().f32().data(), space);
  }

 private:
  uint64_t kept() const { return s.gru ? 4 * s.units : 0; }
  dim3 blocks() const { return gpu::blocks_for(s.batch, 1); }
  // Of the workspace, before what products and sums use.
  uint64_t numbers(bool backward) const {
    const uint64_t gates = Checked(all) * s.rows;
    if (!backward) return round_up(gates, 64);
    const uint64_t states = Checked(all) * s.units + Checked(s.batch) * s.units;
    return round_up(Checked(gates) * (s.gru ? 2 : 1) + states, 64);
  }
  // What an evaluating instance has there is less.
  std::byte* products(const LayerCall& call, bool backward) const {
    return call.workspace<std::byte>() + numbers(backward) * sizeof(float);
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

  // A sum over no steps is zero.
  static void product(Context& c, const Product* by, const float* first, const float* second, float* to,
                      uint64_t count, void* space) {
    if (!to) return;
    if (by) return by->run(c, first, second, to, space);
    gpu::check(cudaMemsetAsync(to, 0, count * sizeof(float), gpu::stream(c)), "a gradient of no steps");
  }
  void bias(Context& c, const float* gradient, float* to, void* space) const {
    if (to) gpu::sum_columns(c, bias_split, gpu::SumOf{gradient}, gpu::KeepFirst{to}, space);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.recurrent_cell.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::RecurrentCellOnCuda>("plait.recurrent_cell", "plait.cuda"));
