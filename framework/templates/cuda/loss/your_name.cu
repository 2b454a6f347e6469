// The loss's kernel for the device your_device, or any other of CUDA memory. One block does the batch: its
// threads sum in an order that is always the same, so the bits are too.
#include "your_name.h"

#include <plait/cuda.hpp>

using namespace plait::sdk;

namespace your_vendor {
namespace {

// Memory of one call, on the card.
struct Work {
  const float* scores;  // [batch, classes]
  const int32_t* labels;
  float* gradient;  // [batch, classes], or null
  double* result;   // sum of the samples' losses, number of samples
  int32_t* bad_target;
  int batch, classes;
  float margin, scale;
};

constexpr float kBadLabel = -1;  // no loss is negative

// The loss of sample n, whose row of the gradient it writes; kBadLabel where the label is no class.
__device__ float sample_loss(const Work& w, int n) {
  const float* s = w.scores + int64_t{n} * w.classes;
  float* g = w.gradient ? w.gradient + int64_t{n} * w.classes : nullptr;
  for (int j = 0; g && j < w.classes; ++j) g[j] = 0;
  const int right = w.labels[n];
  if (right < 0 || right >= w.classes) return kBadLabel;
  int rival = right == 0 ? 1 : 0;
  for (int j = 0; j < w.classes; ++j) rival = j != right && s[j] > s[rival] ? j : rival;
  const float loss = w.margin + s[rival] - s[right];
  if (loss <= 0) return 0;
  if (g) g[rival] = w.scale, g[right] = -w.scale;
  return loss;
}

__global__ void loss_kernel(Work w) {
  __shared__ double sums[gpu::kThreads];
  __shared__ int bad[gpu::kThreads];
  double sum = 0;
  int first_bad = w.batch;
  for (int n = static_cast<int>(threadIdx.x); n < w.batch; n += static_cast<int>(blockDim.x)) {
    const float loss = sample_loss(w, n);
    if (loss == kBadLabel && n < first_bad) first_bad = n;
    if (loss != kBadLabel) sum += loss;  // NaN too
  }
  sums[threadIdx.x] = sum, bad[threadIdx.x] = first_bad;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned t = 1; t < blockDim.x; ++t) {
    sum += sums[t];
    if (bad[t] < first_bad) first_bad = bad[t];
  }
  w.result[0] = sum, w.result[1] = w.batch;
  if (w.bad_target) *w.bad_target = first_bad < w.batch ? first_bad : -1;
}

struct YourNameOnCuda : YourName {
  void compute(Context& c, const LossCall& call) const {
    const Tensor scores = call.prediction(), gradient = call.gradient();
    const auto batch = scores.shape(0);
    const Work work{.scores = scores.f32().data(),
                    .labels = call.target().data<int32_t>().data(),
                    .gradient = gradient ? gradient.f32().data() : nullptr,
                    .result = call.c()->result,
                    .bad_target = call.c()->bad_target,
                    .batch = static_cast<int>(batch),
                    .classes = static_cast<int>(scores.shape(1)),
                    .margin = margin,
                    .scale = static_cast<float>(call.gradient_scale() / static_cast<double>(batch))};
    gpu::launch(c, 1, gpu::kThreads, loss_kernel, work);
  }
};

}  // namespace

Entry on_cuda() { return implementation<YourNameOnCuda>("your_vendor.your_name", "your_device"); }

}  // namespace your_vendor
