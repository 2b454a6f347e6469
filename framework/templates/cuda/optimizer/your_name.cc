// An optimizer: steps of one size along the sign of the averaged gradient. This file runs it on the host's
// processor, your_name.cu on CUDA devices.
// Source: Bernstein, Wang, Azizzadenesheli, Anandkumar 2018, "signSGD".
#include "your_name.h"

using namespace plait::sdk;

namespace your_vendor {

struct YourNameOnHost : YourName {
  void step(Context& c, const OptimizerCall& call) const {
    const auto size = static_cast<float>(rate), m = static_cast<float>(momentum);
    const Out w = call.weights, v = call.slot(0);
    c.parallel_for(call.count, [&](size_t i) {
      v[i] = m * v[i] + (1 - m) * call.gradients[i];
      w[i] -= size * static_cast<float>((v[i] > 0) - (v[i] < 0));
    });
  }
};

#ifndef PLAIT_CUDA  // built without a CUDA compiler
Entry on_cuda() { return {}; }
#endif

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             optimizer<your_vendor::YourNameOnHost>("your_vendor.your_name"), your_vendor::on_cuda());
