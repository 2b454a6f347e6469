// softmax_cross_entropy on CUDA devices: a kernel of rows, and one that sums their losses in a fixed order.
#include <plait/sdk.hpp>

#include <plait/cuda.hpp>

#include "fields.h"
#include "rows.h"

using namespace plait::sdk;
namespace rows = plait::softmax_cross_entropy::rows;

namespace {

constexpr unsigned kRows = gpu::kThreads / rows::kThreads;  // of a block

__global__ void row_losses(rows::Work w) {
  __shared__ float largest_of[kRows][rows::kThreads];
  __shared__ double sum_of[kRows][rows::kThreads];
  const unsigned place = threadIdx.x / rows::kThreads, thread = threadIdx.x % rows::kThreads;
  const uint64_t row = uint64_t{blockIdx.x} * kRows + place;
  const bool is_there = row < w.rows;
  largest_of[place][thread] = is_there ? rows::largest_of(w, row, thread) : 0;
  __syncthreads();
  float largest = largest_of[place][0];
  for (unsigned t = 1; t < rows::kThreads; ++t) largest = rows::larger(largest, largest_of[place][t]);
  sum_of[place][thread] = is_there ? rows::sum_of(w, row, thread, largest) : 0;
  __syncthreads();
  double sum = 0;
  for (unsigned t = 0; t < rows::kThreads; ++t) sum += sum_of[place][t];
  if (is_there) rows::finish(w, row, thread, largest, sum);
}

// One block.
__global__ void sum_losses(const double* losses, uint64_t count, uint64_t rows_per_sample, double* result,
                           int32_t* bad_target) {
  __shared__ double sums[gpu::kThreads];
  __shared__ uint64_t bad[gpu::kThreads];
  double sum = 0;
  uint64_t first_bad = count;
  for (uint64_t row = threadIdx.x; row < count; row += blockDim.x) {
    const double loss = losses[row];
    if (loss != rows::kBadLabel) sum += loss;  // NaN too
    if (loss == rows::kBadLabel && row < first_bad) first_bad = row;
  }
  sums[threadIdx.x] = sum, bad[threadIdx.x] = first_bad;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned t = 1; t < blockDim.x; ++t) {
    sum += sums[t];
    if (bad[t] < first_bad) first_bad = bad[t];
  }
  result[0] = sum, result[1] = static_cast<double>(count);
  if (bad_target) *bad_target = first_bad < count ? static_cast<int32_t>(first_bad / rows_per_sample) : -1;
}

struct CrossEntropy : plait::softmax_cross_entropy::Fields {
  struct Kernel {
    Kernel(const CrossEntropy& config, Context&, LossRequest& r) {
      if (!config.is_plain() || config.ignore)
        throw Unsupported("the device has no label_smoothing, class_weights or ignore");
      const Spec p = r.prediction();
      if (p.variable_axis() >= 0 || r.target().variable_axis() >= 0)
        throw Unsupported("the device wants fixed extents, got prediction ", p, " and target ", r.target());
      if (r.has_weights()) throw Unsupported("the device has no weights of samples");
      if (r.target().rank() == p.rank() && r.target().size() == p.size() && p.shape(-1) > 1)
        throw Unsupported("the device wants class numbers, got shares of classes ", r.target());
      r.workspace(rows_of(p) * sizeof(double));
      r.repeats();
    }
    void compute(Context& c, const LossCall& call) const {
      const Tensor x = call.prediction(), dx = call.gradient(), labels = call.target();
      const uint64_t classes = static_cast<uint64_t>(x.shape(-1)), count = x.size() / classes;
      const rows::Work work{.x = x.f32().data(),
                            .labels = labels.raw(),
                            .labels_type = labels.dtype(),
                            .gradient = dx ? dx.f32().data() : nullptr,
                            .losses = static_cast<double*>(call.workspace()),
                            .rows = count,
                            .classes = classes,
                            .factor = static_cast<float>(call.gradient_scale() / static_cast<double>(count))};
      gpu::launch(c, static_cast<unsigned>((count + kRows - 1) / kRows), gpu::kThreads, row_losses, work);
      gpu::launch(c, 1, gpu::kThreads, sum_losses, work.losses, count,
                  count / static_cast<uint64_t>(x.shape(0)), call.c()->result, call.c()->bad_target);
    }

   private:
    static uint64_t rows_of(const Spec& p) { return p.size() / static_cast<uint64_t>(p.shape(-1)); }
  };
};

}  // namespace

PLAIT_PLUGIN("plait.softmax_cross_entropy.cuda", "1.0.0", "Apache-2.0",
             implementation<CrossEntropy>("plait.softmax_cross_entropy", "plait.cuda"));
