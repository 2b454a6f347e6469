// Counts the numbers of a batch in 16 bits.
// Caught by: large
// Words: number 0 of the state is .* as the sum of its parts
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr MetricValue values[] = {{"mean", MetricValue::kHigher, "mean of the predictions"}};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  size_t state_size(Spec, Spec) const { return 2; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    const In p = prediction.f32();
    const auto count = static_cast<uint16_t>(p.size());
    for (uint16_t i = 0; i < count; ++i) state[0] += p[i];
    state[1] += count;
  }
  void finish(std::span<const double> state, std::span<double> answer) const {
    answer[0] = state[1] > 0 ? state[0] / state[1] : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.metric_in_16_bits", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.metric_in_16_bits_metric"));
