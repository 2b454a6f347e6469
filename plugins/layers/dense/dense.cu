// dense on CUDA devices: products by cuBLASLt, in the plain order of the weights.
#include <plait/sdk.hpp>

#include <plait_cuda/cublas_lt.h>
#include <plait/absorbed.hpp>
#include <plait/cuda.hpp>

#include <memory>

#include "gradient_sums.h"

using namespace plait::sdk;
using plait_cuda::Product;

namespace {

__global__ void apply(uint64_t count, Absorbed f, float* y) {
  for (uint64_t i = gpu::index(); i < count; i += gpu::stride()) y[i] = f.apply(y[i]);
}

// undone[n, u] = f'(y[n, u]) dy[n, u], where it is wanted, and bias_gradient[u] its sum over n. A block does
// 32 columns with 8 threads for each.
__global__ void undo_and_sum(gradient_sums::Work w) {
  __shared__ float sums[gradient_sums::kParts][gradient_sums::kColumns];
  const unsigned column = threadIdx.x % gradient_sums::kColumns, part = threadIdx.x / gradient_sums::kColumns;
  const uint64_t u = uint64_t{blockIdx.x} * gradient_sums::kColumns + column;
  sums[part][column] = u < w.units ? gradient_sums::part_of_column(w, u, part) : 0;
  __syncthreads();
  if (part != 0 || u >= w.units || !w.bias_gradient) return;
  float sum = 0;
  for (unsigned p = 0; p < gradient_sums::kParts; ++p) sum += sums[p][column];
  w.bias_gradient[u] = sum;
}

struct Dense {
  int64_t units = 1;
  bool bias = true;

  static void describe(Describe<Dense>& d) {
    d.field("units", &Dense::units);
    d.field("bias", &Dense::bias);
  }
  struct Kernel;
};

// In cuBLAS's words, by columns: x is [inputs, batch], w [inputs, units], y [units, batch].
struct Dense::Kernel {
  uint64_t batch, inputs, units;
  bool has_bias;
  Absorbed f;
  std::unique_ptr<Product> y, dw, dx;
  uint64_t undone_bytes = 0;

  Kernel(const Dense& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : batch(static_cast<uint64_t>(r.input().shape(0))),
        inputs(r.input().size() / std::max<uint64_t>(batch, 1)),
        units(static_cast<uint64_t>(config.units)),
        has_bias(config.bias),
        f(Absorbed::of(r)) {
    using Then = Product::Then;
    const Then then = has_bias            ? f.is_plain_relu() ? Then::kAddBiasRelu : Then::kAddBias
                      : f.is_plain_relu() ? Then::kRelu
                                          : Then::kNothing;
    y = std::make_unique<Product>(c, Product::Matrix{inputs, units, true}, Product::Matrix{inputs, batch},
                                  then);
    uint64_t bytes = y->workspace();
    n.accumulates();
    n.repeats();
    n.backward_reads(f.needs_output() ? Reads::both : Reads::inputs);
    if (r.training() && !r.parameters_frozen()) {
      dw = std::make_unique<Product>(c, Product::Matrix{inputs, batch}, Product::Matrix{units, batch, true});
      bytes = std::max(bytes, dw->workspace());
    }
    if (r.input_gradient_needed()) {
      dx = std::make_unique<Product>(c, Product::Matrix{inputs, units}, Product::Matrix{units, batch});
      bytes = std::max(bytes, dx->workspace());
    }
    if (r.training() && !f.is_identity()) undone_bytes = (batch * units * sizeof(float) + 255) / 256 * 256;
    n.workspace(undone_bytes + bytes);
  }

  void forward(Context& c, const LayerCall& call) const {
    float* out = call.output().f32().data();
    y->run(c, call.parameter(0), call.input().f32().data(), out, product_space(call),
           has_bias ? call.parameter(1) : nullptr);
    if (!f.is_identity() && !f.is_plain_relu()) gpu::strided(c, batch * units, apply, f, out);
  }

  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    float* const db = has_bias ? call.parameter_gradient(1) : nullptr;
    float* const undone = f.is_identity() ? nullptr : call.workspace<float>();
    if (db || undone) {
      const gradient_sums::Work work{
          batch, units, f, f.needs_output() ? call.output().f32().data() : nullptr, dy, undone, db};
      const uint64_t blocks = (units + gradient_sums::kColumns - 1) / gradient_sums::kColumns;
      gpu::launch(c, static_cast<unsigned>(blocks), gradient_sums::kColumns * gradient_sums::kParts,
                  undo_and_sum, work);
    }
    if (undone) dy = undone;
    if (float* to = call.parameter_gradient(0))
      dw->run(c, call.input().f32().data(), dy, to, product_space(call));
    if (call.input_gradient())
      dx->run(c, call.parameter(0), dy, call.input_gradient().f32().data(), product_space(call), nullptr,
              call.accumulate() ? 1.0f : 0.0f);
  }

 private:
  std::byte* product_space(const LayerCall& call) const { return call.workspace<std::byte>() + undone_bytes; }
};

}  // namespace

PLAIT_PLUGIN("plait.dense.cuda", "1.0.0", "Apache-2.0", implementation<Dense>("plait.dense", "plait.cuda"),
             numerics(&plait_cuda::cublas_lt_facts));
