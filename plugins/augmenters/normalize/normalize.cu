// normalize on CUDA devices.
#include <plait/sdk.hpp>

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"
#include "fields.h"

using namespace plait::sdk;

namespace {

struct Normalize : plait::normalize::Fields {
  void open(Context& c, const Parts& parts) {
    Fields::open(c, parts);
    if (period() > plait::normalize::kMost)
      throw Unsupported("the device takes at most ", plait::normalize::kMost, " means and deviations, got ",
                        period());
  }
  void apply_samples(Context& c, SamplesCall& call) const {
    const auto [in, out] = call.part(part);
    in.dtype() == DType::u8 ? scale_as<uint8_t>(c, in, out) : scale_as<float>(c, in, out);
  }

 private:
  template <class V>
  void scale_as(Context& c, Tensor in, Tensor out) const {
    plait::normalize::Scale<V> work{in.data<V>().data(), out.f32().data(), period(), {}, {}};
    std::copy_n(factors().begin(), period(), work.factors);
    std::copy_n(offsets().begin(), period(), work.offsets);
    gpu::map(c, in.size(), work);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.normalize.cuda", "1.0.0", "Apache-2.0",
             implementation<Normalize>("plait.normalize", "plait.cuda"));
