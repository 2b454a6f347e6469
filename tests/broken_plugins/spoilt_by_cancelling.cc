// Keeps a half-done sum of its parts when it is cancelled, and begins the next call with it.
// Caught by: cancelled
// Words: (state|values|output 0) differs in the step after one that was cancelled
#include <atomic>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static constexpr MetricValue values[] = {{"sum", MetricValue::kLower, "sum of the predictions"}};
  mutable std::atomic<double> half{0};
  Broken() = default;
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context& c, Tensor prediction, Tensor, std::span<double> state) const {
    for (const float p : prediction.f32()) {
      half = half + p;
      c.stop_if_cancelled();
    }
    state[0] += half.exchange(0);
  }
  void finish(std::span<const double> state, std::span<double> out) const { out[0] = state[0]; }
};

}  // namespace

PLAIT_PLUGIN("broken.spoilt_by_cancelling", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.spoilt_by_cancelling_metric"));
