// Mean of squared differences.
#include "mean_squared.h"

using namespace plait::sdk;

namespace losses {
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

struct MeanSquaredOnHost : MeanSquared {
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
    const bool masked =
        (!prediction.lengths().empty() || !prediction.second_lengths().empty()) && prediction.rank() > 1;
    if (masked || !call.weights().empty()) return compute_by_sample<V>(call);
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

  // Elements of a sample along the axes from `begin` to before `end`.
  static size_t places(Tensor x, int begin, int end) {
    size_t product = 1;
    for (int i = begin; i < end; ++i) product *= static_cast<size_t>(x.shape(i));
    return product;
  }

  // Calls body(n, first, count) for each run of sample n's elements that lie within its extents.
  template <class Body>
  static void valid_runs(Tensor x, Body&& body) {
    if (x.rank() == 1) {
      for (size_t n = 0; n < x.size(); ++n) body(n, n, size_t{1});
      return;
    }
    const int axis = x.variable_axis() < 0 ? 1 : x.variable_axis();
    if (x.second_axis() >= 0) return valid_runs_of_two(x, axis, x.second_axis(), body);
    const size_t before = places(x, 1, axis), after = places(x, axis + 1, x.rank());
    const size_t extent = static_cast<size_t>(x.shape(axis));
    for (size_t n = 0; n < static_cast<size_t>(x.shape(0)); ++n) {
      for (size_t b = 0; b < before; ++b) {
        body(n, (n * before + b) * extent * after, static_cast<size_t>(x.length(n)) * after);
      }
    }
  }
  template <class Body>
  static void valid_runs_of_two(Tensor x, int axis, int second, const Body& body) {
    const size_t before = places(x, 1, axis), between = places(x, axis + 1, second);
    const size_t line = places(x, second, x.rank()), after = places(x, second + 1, x.rank());
    const size_t step = between * line, sample = places(x, 1, x.rank());
    for (size_t n = 0; n < static_cast<size_t>(x.shape(0)); ++n) {
      const auto count = static_cast<size_t>(x.extent(n, second)) * after;
      for (size_t b = 0; b < before; ++b)
        for (size_t i = 0; i < static_cast<size_t>(x.extent(n, axis)); ++i)
          for (size_t m = 0; m < between; ++m)
            body(n, n * sample + (b * static_cast<size_t>(x.shape(axis)) + i) * step + m * line, count);
    }
  }

  template <class V>
  static void compute_by_sample(const LossCall& call) {
    const Tensor prediction = call.prediction();
    const float* p = prediction.f32().data();
    const V* t = call.target().data<V>().data();
    float* dp = call.gradient() ? call.gradient().f32().data() : nullptr;
    if (dp) std::memset(dp, 0, prediction.bytes());
    double valid = 0, sum = 0;
    valid_runs(prediction,
               [&](size_t n, size_t, size_t count) { valid += call.weight(n) * static_cast<double>(count); });
    valid_runs(prediction, [&](size_t n, size_t first, size_t count) {
      const double weight = call.weight(n);
      if (weight == 0) return;
      const auto factor = static_cast<float>(2 * weight * call.gradient_scale() / valid);
      sum += weight * piece(p + first, t + first, count, factor, dp ? dp + first : nullptr);
    });
    call.set_result(sum, valid);
  }
};

}  // namespace
}  // namespace losses

PLAIT_PLUGIN("plait.mean_squared", "1.0.0", "Apache-2.0",
             loss<losses::MeanSquaredOnHost>("plait.mean_squared"));
