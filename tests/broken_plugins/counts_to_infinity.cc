// Counts up to the number in its state, whatever that is.
// Caught by: any_bits
// Words: hangs .*a step on
// Arguments: --time-limit 3
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static constexpr MetricValue values[] = {{"size", MetricValue::kLower, "mean of the predictions"}};
  size_t state_size(Spec, Spec) const { return 2; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    for (const float p : prediction.f32()) state[0] += p, state[1] += 1;
  }
  void finish(std::span<const double> state, std::span<double> out) const {
    double n = 0;
    while (n < state[1]) n += 1;
    out[0] = n > 0 ? state[0] / n : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_to_infinity", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.counts_to_infinity_metric"));
