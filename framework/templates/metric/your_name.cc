// A metric: the mean place of the right class among the scores; 1 is best.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  static constexpr MetricValue values[] = {
      {"your_name", MetricValue::kLower, "mean place of the right class, 1 is best"}};

  static void describe(Describe<YourName>& d) {
    d.doc("mean place of the right class when the scores are sorted");
    d.details("Shapes: prediction [N, classes] f32; target [N] i32, class numbers from 0.");
  }

  // Numbers that are summed over the batches: places, samples.
  size_t state_size(Spec prediction, Spec target) const {
    if (prediction.dtype() != DType::f32 || prediction.rank() != 2)
      throw Error("prediction is ", prediction, ", wanted f32[N, classes]");
    if (target.dtype() != DType::i32 || target.size() != static_cast<size_t>(prediction.shape(0)))
      throw Error("target is ", target, ", wanted i32[N], as many as there are predictions");
    return 2;
  }

  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const auto labels = target.data<int32_t>();
    for (size_t n = 0; n < labels.size(); ++n) {
      const Out scores = prediction.sample<float>(n);
      const auto right = static_cast<size_t>(labels[n]);
      size_t place = 1;
      for (size_t j = 0; j < scores.size(); ++j) place += right >= scores.size() || scores[j] > scores[right];
      state[0] += static_cast<double>(place);
      state[1] += 1;
    }
  }

  void finish(std::span<const double> state, std::span<double> results) const {
    results[0] = state[1] > 0 ? state[0] / state[1] : 0;
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             metric<your_vendor::YourName>("your_vendor.your_name"));
