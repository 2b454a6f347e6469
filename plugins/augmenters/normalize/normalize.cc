// Pixels as numbers that a network likes: around 0, about 1 wide.
#include <plait/sdk.hpp>

#include "fields.h"

using namespace plait::sdk;

namespace {

PLAIT_FAST void scale_bytes(const uint8_t* x, const float* a, const float* b, size_t run, size_t size,
                            float* y) {
  for (size_t at = 0; at < size; at += run) {
    const size_t count = size - at < run ? size - at : run;
    for (size_t i = 0; i < count; ++i) y[at + i] = static_cast<float>(x[at + i]) * a[i] + b[i];
  }
}

PLAIT_FAST void scale_floats(const float* x, const float* a, const float* b, size_t run, size_t size,
                             float* y) {
  for (size_t at = 0; at < size; at += run) {
    const size_t count = size - at < run ? size - at : run;
    for (size_t i = 0; i < count; ++i) y[at + i] = x[at + i] * a[i] + b[i];
  }
}

struct Normalize : plait::normalize::Fields {
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    call.same_extents(part);
    const float *a = factors().data(), *b = offsets().data();
    float* y = out.f32().data();
    if (in.dtype() == DType::u8) {
      scale_bytes(in.data<uint8_t>().data(), a, b, factors().size(), in.size(), y);
    } else {
      scale_floats(in.f32().data(), a, b, factors().size(), in.size(), y);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.normalize", "1.0.0", "Apache-2.0", augmenter<Normalize>("plait.normalize"));
