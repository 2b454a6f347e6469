// Mean of squared differences, and its root.
#include <plait/element_pairs.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct MeanSquaredError {
  static constexpr MetricValue values[] = {
      {"mean_squared_error", MetricValue::kLower, "mean of (prediction - target)^2"},
      {"root_mean_squared_error", MetricValue::kLower, "its square root, in the target's unit"}};

  static void describe(Describe<MeanSquaredError>& d) {
    d.doc("mean of (prediction - target)^2 over all elements, and its root");
    d.details(
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample.\n"
        "Elements past a sample's length count for nothing.");
  }

  size_t state_size(Spec prediction, Spec target) const {
    check_element_pairs(prediction, target);
    return 2;  // sum of squares, elements
  }

  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ElementPairs pairs(prediction, target);
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (!pairs.counts(i)) continue;
      const double difference = pairs.prediction(i) - pairs.target(i);
      state[0] += difference * difference;
      state[1] += 1;
    }
  }

  void finish(std::span<const double> state, std::span<double> results) const {
    results[0] = state[1] > 0 ? state[0] / state[1] : 0;
    results[1] = std::sqrt(results[0]);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.mean_squared_error", "1.0.0", "Apache-2.0",
             metric<MeanSquaredError>("plait.mean_squared_error"));
