// A loss: the right class should win by a margin.
// Source: Crammer, Singer 2001, "On the algorithmic implementation of multiclass kernel-based vector
// machines".
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  float margin = 1;

  static void describe(Describe<YourName>& d) {
    d.doc("max(0, margin + best wrong score - right score)");
    d.details("Shapes: prediction [N, classes] f32; target [N] i32, class numbers from 0.");
    d.field("margin", &YourName::margin).doc("by how much the right class should win").range(0, 1e6);
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() != 2 || p.shape(1) < 2)
      s.fail("prediction is ", p, ", wanted f32[N, classes]");
    if (t.dtype() != DType::i32 || t.size() != static_cast<size_t>(p.shape(0)))
      s.fail("target is ", t, ", wanted i32[N], as many as there are predictions");
  }

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

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             loss<your_vendor::YourName>("your_vendor.your_name"));
