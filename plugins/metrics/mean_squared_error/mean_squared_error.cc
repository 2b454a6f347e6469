// Mean of squared differences, and its root.
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

double number_at(Tensor t, size_t i) {
  switch (t.dtype()) {
    case DType::u8:
      return t.data<uint8_t>()[i];
    case DType::i32:
      return t.data<int32_t>()[i];
    case DType::i64:
      return static_cast<double>(t.data<int64_t>()[i]);
    default:
      return t.f32()[i];
  }
}

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
    if (prediction.dtype() != DType::f32) throw Error("prediction is ", prediction, ", wanted f32[N, ...]");
    if (target.dtype() == DType::f64 || target.dtype() == DType::bf16 || target.dtype() == DType::f16) {
      throw Error("target is ", target, ", wanted f32, u8, i32 or i64");
    }
    if (target.size() != prediction.size()) {
      throw Error("target ", target, " has not as many elements per sample as prediction ", prediction);
    }
    return 2;  // sum of squares, elements
  }

  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const Out p = prediction.f32();
    const bool masked = !prediction.lengths().empty() && prediction.rank() > 1;
    for (size_t i = 0; i < p.size(); ++i) {
      if (masked && is_masked(prediction, i)) continue;
      const double difference = p[i] - number_at(target, i);
      state[0] += difference * difference;
      state[1] += 1;
    }
  }

  void finish(std::span<const double> state, std::span<double> results) const {
    results[0] = state[1] > 0 ? state[0] / state[1] : 0;
    results[1] = std::sqrt(results[0]);
  }

 private:
  static bool is_masked(Tensor t, size_t element) {
    const int axis = t.variable_axis() < 0 ? 1 : t.variable_axis();
    size_t after = 1;  // elements per place of the axis
    for (int i = axis + 1; i < t.rank(); ++i) after *= static_cast<size_t>(t.shape(i));
    const size_t place = element / after % static_cast<size_t>(t.shape(axis));
    return place >= static_cast<size_t>(t.length(element / (t.size() / static_cast<size_t>(t.shape(0)))));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.mean_squared_error", "1.0.0", "Apache-2.0",
             metric<MeanSquaredError>("plait.mean_squared_error"));
