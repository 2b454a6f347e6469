// accuracy on CUDA devices: one block counts all answers of a batch, so that the state has one writer.
#include <plait/sdk.hpp>

#include <plait/cuda.hpp>

#include "rows.h"

using namespace plait::sdk;

namespace {

// The class that a target is of; `classes` where it is none.
template <class V>
__device__ uint64_t label_of(V target, uint64_t classes) {
  const auto number = static_cast<double>(target);
  return number >= 0 && number < static_cast<double>(classes) ? static_cast<uint64_t>(number) : classes;
}

// One block. Whole numbers: no order of adding changes them.
template <class V>
__global__ void count_answers(uint64_t rows, uint64_t classes, int64_t top, const float* scores,
                              const V* labels, double* state) {
  __shared__ double right_of[gpu::kThreads];
  double right = 0;
  for (uint64_t row = threadIdx.x; row < rows; row += blockDim.x) {
    const uint64_t label = label_of(labels[row], classes);
    if (label < classes && plait::accuracy::is_right(scores + row * classes, classes, label, top)) right += 1;
  }
  right_of[threadIdx.x] = right;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned t = 1; t < blockDim.x; ++t) right += right_of[t];
  state[0] += right;
  state[1] += static_cast<double>(rows);
}

struct Accuracy {
  int64_t top = 1;

  static void describe(Describe<Accuracy>& d) { d.field("top", &Accuracy::top); }
  size_t state_size(Spec prediction, Spec target) const {
    if (prediction.variable_axis() >= 0 || target.variable_axis() >= 0)
      throw Unsupported("the device wants fixed extents, got prediction ", prediction, " and target ",
                        target);
    return 2;
  }
  void update(Context& c, Tensor prediction, Tensor target, std::span<double> state) const {
    switch (target.dtype()) {
      case DType::i32:
        return count<int32_t>(c, prediction, target, state.data());
      case DType::i64:
        return count<int64_t>(c, prediction, target, state.data());
      case DType::u8:
        return count<uint8_t>(c, prediction, target, state.data());
      default:
        return count<float>(c, prediction, target, state.data());
    }
  }

 private:
  template <class V>
  void count(Context& c, Tensor prediction, Tensor target, double* state) const {
    const auto classes = static_cast<uint64_t>(prediction.shape(-1));
    gpu::launch(c, 1, gpu::kThreads, count_answers<V>, prediction.size() / classes, classes, top,
                prediction.f32().data(), target.data<V>().data(), state);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.accuracy.cuda", "1.0.0", "Apache-2.0",
             implementation<Accuracy>("plait.accuracy", "plait.cuda"));
