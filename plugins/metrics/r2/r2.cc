// Share of the variance that is explained.
#include <plait/element_pairs.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

// state, for each output: samples, sum of t, sum of t^2, sum of (p - t)^2
struct R2 {
  static constexpr MetricValue values[] = {
      {"r2", MetricValue::kHigher, "share of the targets' variance that is explained, at most 1"}};

  static void describe(Describe<R2>& d) {
    d.doc("1 - sum (prediction - target)^2 / sum (target - mean)^2: share of the variance that is explained");
    d.details(
        "1: all right; 0: as good as the mean of the targets; below 0: worse. Of several outputs (the last "
        "axis) their mean. Of an "
        "output whose\n"
        "targets are all alike 1 where it is right, else 0.\n"
        "Sums of t^2 are of f64: where the mean of targets is k times their deviation, the result is off by "
        "k^2 1e-16.\n"
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample.\n"
        "Elements past a sample's length count for nothing.\n"
        "As scikit-learn's r2_score.");
  }

  size_t state_size(Spec prediction, Spec target) const {
    check_element_pairs(prediction, target);
    return 4 * outputs_of(prediction);
  }
  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ElementPairs pairs(prediction, target);
    const size_t outputs = state.size() / 4;
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (!pairs.counts(i)) continue;
      const auto sums = state.subspan(4 * (i % outputs), 4);
      const double t = pairs.target(i), off = pairs.prediction(i) - t;
      sums[0] += 1, sums[1] += t, sums[2] += t * t, sums[3] += off * off;
    }
  }
  void finish(std::span<const double> state, std::span<double> results) const {
    double sum = 0, found = 0;
    for (size_t i = 0; i < state.size(); i += 4) {
      if (state[i] == 0) continue;
      sum += of_one(state.subspan(i, 4));
      found += 1;
    }
    results[0] = found > 0 ? sum / found : 0;
  }

 private:
  static size_t outputs_of(const Spec& prediction) {
    const bool is_fixed = prediction.rank() > 1 && prediction.variable_axis() != prediction.rank() - 1;
    return is_fixed ? static_cast<size_t>(prediction.shape(-1)) : 1;
  }
  // What is left of the variance within what f64 rounds is none.
  static double of_one(std::span<const double> sums) {
    const double variance = sums[2] - sums[1] * sums[1] / sums[0];
    if (variance > sums[2] * 1e-15) return 1 - sums[3] / variance;
    return sums[3] <= sums[2] * 1e-15 ? 1 : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.r2", "1.0.0", "Apache-2.0", metric<R2>("plait.r2"));
