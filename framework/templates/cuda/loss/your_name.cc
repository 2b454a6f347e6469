// A loss: the right class should win by a margin. This file runs it on the host's processor, your_name.cu on
// CUDA devices. Source: Crammer, Singer 2001, "On the algorithmic implementation of multiclass kernel-based
// vector machines".
#include "your_name.h"

#include <algorithm>

using namespace plait::sdk;

namespace your_vendor {

struct YourNameOnHost : YourName {
  void compute(Context&, const LossCall& call) const {
    const Tensor scores = call.prediction(), gradient = call.gradient();
    const auto labels = call.target().data<int32_t>();
    const auto scale = static_cast<float>(call.gradient_scale() / static_cast<double>(labels.size()));
    if (gradient) std::fill_n(gradient.f32().data(), gradient.size(), 0.0f);
    double sum = 0;
    for (size_t n = 0; n < labels.size(); ++n) {
      const Out s = scores.sample<float>(n);
      const auto right = static_cast<size_t>(labels[n]);  // a negative one becomes large
      if (right >= s.size()) {
        call.bad_target(static_cast<int64_t>(n));
        continue;
      }
      size_t rival = right == 0 ? 1 : 0;
      for (size_t j = 0; j < s.size(); ++j) rival = j != right && s[j] > s[rival] ? j : rival;
      const float loss = margin + s[rival] - s[right];
      if (loss <= 0) continue;
      sum += loss;
      if (!gradient) continue;
      gradient.sample<float>(n)[rival] = scale;
      gradient.sample<float>(n)[right] = -scale;
    }
    call.set_result(sum, static_cast<double>(labels.size()));
  }
};

#ifndef PLAIT_CUDA  // built without a CUDA compiler
Entry on_cuda() { return {}; }
#endif

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             loss<your_vendor::YourNameOnHost>("your_vendor.your_name"), your_vendor::on_cuda());
