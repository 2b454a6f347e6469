// mean_squared on CUDA devices: the gradient is written while differences are summed.
#include "mean_squared.h"

#include <plait/cuda/sums.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace losses {
namespace {

struct MeanSquaredOnCuda : MeanSquared {
  struct Kernel;
};

struct MeanSquaredOnCuda::Kernel {
  gpu::ColumnSplit split;

  Kernel(const MeanSquaredOnCuda&, Context&, LossRequest& r) : split(r.prediction().size(), 1) {
    const Spec p = r.prediction(), t = r.target();
    if (p.variable_axis() >= 0 || t.variable_axis() >= 0)
      throw Unsupported("the device wants fixed extents, got prediction ", p, " and target ", t);
    if (r.has_weights()) throw Unsupported("the device has no weights of samples");
    r.workspace(split.workspace_bytes(1));
    r.repeats();
  }

  void compute(Context& c, const LossCall& call) const {
    switch (call.target().dtype()) {
      case DType::u8:
        return compute_as<uint8_t>(c, call);
      case DType::i32:
        return compute_as<int32_t>(c, call);
      default:
        return compute_as<float>(c, call);
    }
  }

 private:
  template <class V>
  void compute_as(Context& c, const LossCall& call) const {
    const auto count = static_cast<double>(split.rows);
    const auto factor = static_cast<float>(split.rows > 0 ? 2 * call.gradient_scale() / count : 0);
    float* dp = call.gradient() ? call.gradient().f32().data() : nullptr;
    gpu::sum_columns(
        c, split,
        SquaredDifferences<V>{call.prediction().f32().data(), call.target().data<V>().data(), factor, dp},
        KeepLoss{count, call.c()->result, call.c()->bad_target}, call.workspace());
  }
};

}  // namespace
}  // namespace losses

PLAIT_PLUGIN("plait.mean_squared.cuda", "1.0.0", "Apache-2.0",
             implementation<losses::MeanSquaredOnCuda>("plait.mean_squared", "plait.cuda"));
