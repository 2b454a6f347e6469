// Takes labels that are no class.
// Caught by: bad_target
// Words: is taken: bad_target is -1
#include <algorithm>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check(const LossShapes& s) const {
    if (s.target().dtype() != DType::i32 || s.target().rank() + 1 != s.prediction().rank())
      s.fail("wants labels");
  }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32();
    const auto labels = call.target().data<int32_t>();
    const size_t classes = p.size() / labels.size();
    const auto scale = static_cast<float>(call.gradient_scale() / static_cast<double>(labels.size()));
    double sum = 0;
    if (call.gradient()) std::fill(call.gradient().f32().begin(), call.gradient().f32().end(), 0.0f);
    for (size_t n = 0; n < labels.size(); ++n) {
      const size_t at = n * classes + static_cast<size_t>(labels[n]) % classes;
      sum -= p[at];
      if (call.gradient()) call.gradient().f32()[at] = -scale;
    }
    call.set_result(sum, static_cast<double>(labels.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.takes_bad_labels", "1.0.0", "Apache-2.0", loss<Broken>("broken.takes_bad_labels_loss"));
