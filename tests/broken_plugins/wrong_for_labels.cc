// Right against numbers; against labels the gradient is three times too large.
// Caught by: gradient
// Words: target .3. i32.*the gradient of prediction element
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (t.dtype() == DType::f32 && t.size() == p.size()) return;
    if (p.rank() != 2 || p.shape(1) < 2 || t.dtype() != DType::i32 || t.rank() != 1) s.fail("wants labels");
  }
  void compute(Context&, const LossCall& call) const {
    if (call.target().dtype() == DType::f32) return squared(call);
    const In p = call.prediction().f32();
    const auto labels = call.target().data<int32_t>();
    const auto classes = static_cast<int32_t>(p.size() / labels.size());
    const auto scale = static_cast<float>(call.gradient_scale() / static_cast<double>(labels.size()));
    double sum = 0;
    for (size_t n = 0; n < labels.size(); ++n) {
      const int32_t label = labels[n];
      if (label < 0 || label >= classes) {
        call.bad_target(static_cast<int64_t>(n));
        continue;
      }
      const float* scores = p.data() + n * static_cast<size_t>(classes);
      float total = 0, largest = *std::max_element(scores, scores + classes);
      for (int32_t c = 0; c < classes; ++c) total += std::exp(scores[c] - largest);
      sum += std::log(total) + largest - scores[label];
      if (!call.gradient()) continue;
      float* gradient = call.gradient().f32().data() + n * static_cast<size_t>(classes);
      for (int32_t c = 0; c < classes; ++c)
        gradient[c] = 3 * scale * (std::exp(scores[c] - largest) / total - (c == label ? 1.0f : 0.0f));
    }
    call.set_result(sum, static_cast<double>(labels.size()));
  }
  static void squared(const LossCall& call) {
    const In p = call.prediction().f32(), t = call.target().f32();
    const auto count = static_cast<double>(p.size());
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const float d = p[i] - t[i];
      sum += d * d;
      if (call.gradient())
        call.gradient().f32()[i] = static_cast<float>(2 * call.gradient_scale() / count) * d;
    }
    call.set_result(sum, count);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wrong_for_labels", "1.0.0", "Apache-2.0", loss<Broken>("broken.wrong_for_labels_loss"));
