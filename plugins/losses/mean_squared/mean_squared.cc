// Mean of squared differences.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

constexpr size_t kGrain = 16384;  // numbers in a piece of work; its sum is kept by itself

// Sum of (p - t)^2 and, where dp is not null, dp = factor (p - t). Sixteen partial sums in a fixed order.
template <class V>
PLAIT_INLINE double differences(const float* p, const V* t, size_t count, float factor, float* dp) {
  double part[16] = {};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t lane = 0; lane < 16; ++lane) {
      const float d = p[i + lane] - static_cast<float>(t[i + lane]);
      part[lane] += static_cast<double>(d) * d;
      if (dp) dp[i + lane] = factor * d;
    }
  }
  for (size_t lane = 0; i < count; ++i, ++lane) {
    const float d = p[i] - static_cast<float>(t[i]);
    part[lane] += static_cast<double>(d) * d;
    if (dp) dp[i] = factor * d;
  }
  double sum = 0;
  for (const double value : part) sum += value;
  return sum;
}

PLAIT_FAST double with_gradient(const float* p, const float* t, size_t count, float factor, float* dp) {
  return differences(p, t, count, factor, dp);
}
PLAIT_FAST double without_gradient(const float* p, const float* t, size_t count) {
  return differences(p, t, count, 0, nullptr);
}

// The same for every element type; float has its own fast copies.
template <class V>
double piece(const float* p, const V* t, size_t count, float factor, float* dp) {
  if constexpr (std::is_same_v<V, float>) {
    return dp ? with_gradient(p, t, count, factor, dp) : without_gradient(p, t, count);
  } else {
    return differences(p, t, count, factor, dp);
  }
}

struct MeanSquared {
  static void describe(Describe<MeanSquared>& d) {
    d.doc("mean of (prediction - target)^2 over all elements");
    d.details(
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8 or i32 with as many elements per sample "
        "(compared in\n"
        "their order). Elements past a sample's length count for nothing; then the shapes are equal.\n"
        "Gradient of the mean: 2 (prediction - target) / count.");
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() < 1) s.fail("prediction is ", p, ", wanted f32[N, ...]");
    if (t.dtype() != DType::f32 && t.dtype() != DType::u8 && t.dtype() != DType::i32) {
      s.fail("target is ", t, ", wanted f32, u8 or i32");
    }
    if (t.rank() < 1 || t.shape(0) != p.shape(0) || t.size() != p.size()) {
      s.fail("target ", t, " has not as many elements per sample as prediction ", p);
    }
  }
  // One sum per piece.
  uint64_t workspace_bytes(const LossShapes& s) const {
    return (s.prediction().size() + kGrain - 1) / kGrain * sizeof(double);
  }

  void compute(Context& c, const LossCall& call) const {
    switch (call.target().dtype()) {
      case DType::u8:
        return compute_as<uint8_t>(c, call);
      case DType::i32:
        return compute_as<int32_t>(c, call);
      default:
        return compute_as<float>(c, call);
    }
  }

 private:
  template <class V>
  static void compute_as(Context& c, const LossCall& call) {
    const Tensor prediction = call.prediction();
    const bool masked = !prediction.lengths().empty() && prediction.rank() > 1;
    if (masked) return compute_masked<V>(call);
    const size_t size = prediction.size();
    const float* p = prediction.f32().data();
    const V* t = call.target().data<V>().data();
    float* dp = call.gradient() ? call.gradient().f32().data() : nullptr;
    const auto factor =
        static_cast<float>(size > 0 ? 2 * call.gradient_scale() / static_cast<double>(size) : 0);
    auto* sums = call.workspace<double>();
    c.parallel_for(size, kGrain, [&](uint64_t begin, uint64_t end) {
      sums[begin / kGrain] = piece(p + begin, t + begin, end - begin, factor, dp ? dp + begin : nullptr);
    });
    double sum = 0;
    for (size_t i = 0; i < (size + kGrain - 1) / kGrain; ++i) sum += sums[i];
    call.set_result(sum, static_cast<double>(size));
  }

  // Calls body(first, count) for each run of elements that lie within their sample's length.
  template <class Body>
  static void valid_runs(Tensor x, Body&& body) {
    const int axis = x.variable_axis() < 0 ? 1 : x.variable_axis();
    size_t after = 1, before = 1;  // elements per place of the axis; places of a sample before it
    for (int i = axis + 1; i < x.rank(); ++i) after *= static_cast<size_t>(x.shape(i));
    for (int i = 1; i < axis; ++i) before *= static_cast<size_t>(x.shape(i));
    const size_t extent = static_cast<size_t>(x.shape(axis));
    for (size_t n = 0; n < static_cast<size_t>(x.shape(0)); ++n) {
      for (size_t b = 0; b < before; ++b) {
        body((n * before + b) * extent * after, static_cast<size_t>(x.length(n)) * after);
      }
    }
  }

  template <class V>
  static void compute_masked(const LossCall& call) {
    const Tensor prediction = call.prediction();
    const float* p = prediction.f32().data();
    const V* t = call.target().data<V>().data();
    float* dp = call.gradient() ? call.gradient().f32().data() : nullptr;
    if (dp) std::memset(dp, 0, prediction.bytes());
    size_t valid = 0;
    valid_runs(prediction, [&](size_t, size_t count) { valid += count; });
    const auto factor =
        static_cast<float>(valid > 0 ? 2 * call.gradient_scale() / static_cast<double>(valid) : 0);
    double sum = 0;
    valid_runs(prediction, [&](size_t first, size_t count) {
      sum += piece(p + first, t + first, count, factor, dp ? dp + first : nullptr);
    });
    call.set_result(sum, static_cast<double>(valid));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.mean_squared", "1.0.0", "Apache-2.0", loss<MeanSquared>("plait.mean_squared"));
