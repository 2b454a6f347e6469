// muon on CUDA devices. The length of a direction stays on the card: nothing waits for it.
#include "muon.h"

#include <plait/cuda/map.hpp>
#include <plait/cuda/scratch.hpp>
#include <plait/cuda/sums.hpp>

#include <cmath>
#include <utility>

#include "cuda_work.hpp"
#include "tiled_product.hpp"

using namespace plait::sdk;

namespace optimizers {
namespace {

struct MuonOnCuda : Muon {
  void step(Context& c, const OptimizerCall& call) const {
    float* const x = call.slot(1).data();
    const bool is_matrix = takes_as_matrix(call);
    double scaled = is_matrix ? rate : rate * rest;
    const double keep = 1 - (call.decay() ? scaled * weight_decay : 0);
    gpu::map(c, call.count,
             MuonDirection{static_cast<float>(momentum), static_cast<float>(nesterov ? momentum : 0),
                           call.gradients.data(), call.slot(0).data(), x});
    const uint64_t rows = is_matrix ? static_cast<uint64_t>(call.shape[0]) : 1, columns = call.count / rows;
    const bool is_tall = is_matrix && rows > columns;
    if (is_matrix)
      scaled *= std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(columns)));
    const float* d = is_matrix ? orthogonal(c, call, rows, columns) : x;
    gpu::map(c, call.count,
             MuonMove{static_cast<float>(scaled), static_cast<float>(keep), rows, columns, is_tall, d,
                      call.weights.data()});
  }

 private:
  // Of the direction in slot 1; transposed in slot 2 where there are more rows than columns.
  float* orthogonal(Context& c, const OptimizerCall& call, uint64_t rows, uint64_t columns) const {
    float *x = call.slot(1).data(), *y = call.slot(2).data(), *const a = call.slot(3).data();
    const gpu::ColumnSplit split(call.count, 1);
    auto* const length = reinterpret_cast<double*>(gpu::scratch(c));
    gpu::sum_columns(c, split, MuonLength{x}, MuonKeepRoot{length}, length + 1);
    const bool is_tall = rows > columns;
    gpu::map(c, call.count, MuonUnit{rows, columns, is_tall, length, x, is_tall ? y : x});
    if (is_tall) std::swap(x, y), std::swap(rows, columns);
    for (int64_t i = 0; i < iterations; ++i) {
      multiply(c, {rows, rows, columns, x, x, true, 1, 0, nullptr, 0, a});   // a = x x^T
      multiply(c, {rows, columns, rows, a, x, false, 1, 0, nullptr, 0, y});  // y = a x
      multiply(c, {rows, columns, rows, a, y, false, kC, kA, y, kB, x});     // x = A x + B y + C a y
    }
    return x;
  }
};

static_assert(gpu::ColumnSplit::kMostBlocks * 2 * sizeof(double) < gpu::kScratchBytes);

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.muon.cuda", "1.0.0", "Apache-2.0",
             implementation<optimizers::MuonOnCuda>("plait.muon", "plait.cuda"));
