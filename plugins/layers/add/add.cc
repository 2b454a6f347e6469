// Sum of inputs of one shape, in their order.
#include "add.h"

#include <plait/sdk/fast.hpp>

#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void sum_two(const float* a, const float* b, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = a[i] + b[i];
}

struct AddOnHost : Add {
  void forward(Context& c, const LayerCall& call) const {
    float* y = call.output().f32().data();
    c.parallel_for(call.output().size(), [&](size_t begin, size_t end) {
      const float* sum = call.input(0).f32().data();
      for (size_t i = 1; i < call.inputs(); ++i) {
        sum_two(sum + begin, call.input(i).f32().data() + begin, y + begin, end - begin);
        sum = y;
      }
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    c.parallel_for(call.output_gradient().size(), [&](size_t begin, size_t end) {
      for (size_t i = 0; i < call.inputs(); ++i) {
        if (!call.input_gradient(i)) continue;
        float* dx = call.input_gradient(i).f32().data();
        if (call.accumulate(i)) {
          sum_two(dx + begin, dy + begin, dx + begin, end - begin);
        } else if (dx != dy) {
          std::memcpy(dx + begin, dy + begin, (end - begin) * sizeof(float));
        }
      }
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.add", "1.0.0", "Apache-2.0", layer<layers::AddOnHost>("plait.add"));
