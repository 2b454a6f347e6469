// Cuts the channels in two: a layer of two outputs.
#include "split.h"

#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

struct SplitOnHost : Split {
  void forward(Context& c, const LayerCall& call) const {
    const Sizes z(*this, call.input());
    const float* x = call.input().f32().data();
    float *a = call.output(0).f32().data(), *b = call.output(1).f32().data();
    c.parallel_for(z.rows, 1 + Context::kDefaultGrain / z.all, [&](size_t i) {
      std::memcpy(a + i * z.first, x + i * z.all, z.first * sizeof(float));
      std::memcpy(b + i * z.second, x + i * z.all + z.first, z.second * sizeof(float));
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Sizes z(*this, call.input_gradient());
    float* dx = call.input_gradient().f32().data();
    const float *da = call.output_gradient(0).f32().data(), *db = call.output_gradient(1).f32().data();
    c.parallel_for(z.rows, 1 + Context::kDefaultGrain / z.all, [&](size_t i) {
      std::memcpy(dx + i * z.all, da + i * z.first, z.first * sizeof(float));
      std::memcpy(dx + i * z.all + z.first, db + i * z.second, z.second * sizeof(float));
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.split", "1.0.0", "Apache-2.0", layer<layers::SplitOnHost>("plait.split"));
