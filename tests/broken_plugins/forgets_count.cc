// Its value is a sum that grows with the samples.
// Caught by: finish
// Words: when each is counted twice
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr MetricValue values[] = {{"error", MetricValue::kLower, "distance from the target"}};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  size_t state_size(Spec prediction, Spec target) const {
    if (target.dtype() != DType::f32 || target.size() != prediction.size())
      throw Error("wants targets like predictions");
    return 2;
  }
  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const In p = prediction.f32(), t = target.f32();
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) sum += (p[i] - t[i]) * (p[i] - t[i]);
    state[0] += sum;
    state[1] += 1;
  }
  void finish(std::span<const double> state, std::span<double> out) const { out[0] = state[0]; }
};

}  // namespace

PLAIT_PLUGIN("broken.forgets_count", "1.0.0", "Apache-2.0", metric<Broken>("broken.forgets_count_metric"));
