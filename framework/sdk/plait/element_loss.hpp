// Losses that are a mean over elements, each of its prediction and its target alone: what is left to write is
// that function and its slope. Optional; sdk.hpp does not include it.
//
//   struct Quartic : ElementLoss<Quartic> {
//     static void describe(Describe<Quartic>& d) { d.doc("(prediction - target)^4"); }
//     ElementValue at(double x, double t) const {
//       const double d = x - t;
//       return {d * d * d * d, 4 * d * d * d};
//     }
//   };
//   PLAIT_PLUGIN("acme.quartic", "1.0.0", "Apache-2.0", loss<Quartic>("acme.quartic"));
//
// Self may have
//   static constexpr Count targets = {0, 1};   // or 0: without one, t is 0
//   static bool is_target(double t);           // false: a sample that has such a target is told as bad, and
//   is 0 static constexpr bool by_row = true;       // the mean is over rows, the last axis: it sums up void
//   check_more(const LossShapes& s) const;
//
// Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per sample,
// compared in their order. Elements past a sample's length count for nothing. Weights of samples: each
// element weighs as its sample, the mean is over the sum of weights. Fails with: kInvalid for other shapes
// and types. Threads: [any]
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>

#include "sdk/loss.hpp"

namespace plait::sdk {

struct ElementValue {
  double loss, slope;  // slope: by the prediction
};

namespace detail {

// Calls body(first, count) for each run of sample n's elements that lie within its length.
template <class Body>
void valid_runs(Tensor x, size_t n, Body&& body) {
  const size_t each = x.size() / static_cast<size_t>(x.shape(0));
  if (x.rank() < 2 || x.lengths().empty()) return body(n * each, each);
  const int axis = x.variable_axis() < 0 ? 1 : x.variable_axis();
  size_t after = 1, before = 1;  // elements per place of the axis; places of a sample before it
  for (int i = axis + 1; i < x.rank(); ++i) after *= static_cast<size_t>(x.shape(i));
  for (int i = 1; i < axis; ++i) before *= static_cast<size_t>(x.shape(i));
  const auto extent = static_cast<size_t>(x.shape(axis));
  for (size_t b = 0; b < before; ++b)
    body(n * each + b * extent * after, static_cast<size_t>(x.length(n)) * after);
}

template <class Self>
concept SumsRows = requires {
  Self::by_row;
};
template <class Self>
concept RefusesTargets = requires(double t) {
  Self::is_target(t);
};
template <class Self>
concept ChecksMore = requires(const Self& self, const LossShapes& s) {
  self.check_more(s);
};

}  // namespace detail

template <class Self>
struct ElementLoss {
  static constexpr bool weighted = true;

  void check(const LossShapes& s) const {
    const Spec p = s.prediction();
    if (p.dtype() != DType::f32 || p.rank() < 1) s.fail("prediction is ", p, ", wanted f32[N, ...]");
    if (detail::SumsRows<Self> && p.variable_axis() == p.rank() - 1)
      s.fail("the last axis of prediction ", p, " is its variable one");
    if (s.targets() > 0) check_target(s, p, s.target());
    if constexpr (detail::ChecksMore<Self>) self().check_more(s);
  }
  // A sum for each sample.
  uint64_t workspace_bytes(const LossShapes& s) const {
    return static_cast<uint64_t>(s.prediction().shape(0)) * sizeof(double);
  }

  void compute(Context& c, const LossCall& call) const {
    if (call.targets() == 0) return compute_from(c, call, [](size_t) { return 0.0; });
    const Tensor target = call.target();
    switch (target.dtype()) {
      case DType::u8:
        return compute_from(c, call, reader<uint8_t>(target));
      case DType::i32:
        return compute_from(c, call, reader<int32_t>(target));
      case DType::i64:
        return compute_from(c, call, reader<int64_t>(target));
      default:
        return compute_from(c, call, reader<float>(target));
    }
  }

 private:
  static constexpr size_t kGrain = 16384;  // elements in a piece of work

  const Self& self() const { return static_cast<const Self&>(*this); }

  static void check_target(const LossShapes& s, const Spec& p, const Spec& t) {
    const bool is_number = t.dtype() == DType::f32 || t.dtype() == DType::u8 || t.dtype() == DType::i32 ||
                           t.dtype() == DType::i64;
    if (!is_number) s.fail("target is ", t, ", wanted f32, u8, i32 or i64");
    if (t.rank() < 1 || t.shape(0) != p.shape(0) || t.size() != p.size())
      s.fail("target ", t, " has not as many elements per sample as prediction ", p);
  }

  template <class V>
  static auto reader(Tensor target) {
    return [values = target.data<V>()](size_t i) { return static_cast<double>(values[i]); };
  }

  template <class Target>
  void compute_from(Context& c, const LossCall& call, const Target& target) const {
    const Tensor x = call.prediction();
    const auto samples = static_cast<size_t>(x.shape(0));
    const double count = count_of(call, samples);
    const double factor = count > 0 ? call.gradient_scale() / count : 0;
    auto* const sums = call.workspace<double>();
    const size_t grain =
        std::max<size_t>(1, kGrain / std::max<size_t>(1, x.size() / std::max<size_t>(1, samples)));
    c.parallel_for(samples, grain, [&](uint64_t n) { sums[n] = one_sample(call, n, factor, target); });
    double sum = 0;
    for (size_t n = 0; n < samples; ++n) sum += sums[n];
    call.set_result(sum, count);
  }

  static double count_of(const LossCall& call, size_t samples) {
    const Tensor x = call.prediction();
    double count = 0;
    for (size_t n = 0; n < samples; ++n)
      detail::valid_runs(x, n,
                         [&](size_t, size_t valid) { count += call.weight(n) * static_cast<double>(valid); });
    if constexpr (detail::SumsRows<Self>) return count / static_cast<double>(x.shape(-1));
    return count;
  }

  // The weighted sum of the sample; its gradient is written.
  template <class Target>
  double one_sample(const LossCall& call, size_t n, double factor, const Target& target) const {
    const Tensor x = call.prediction();
    const std::span<float> dx =
        call.gradient() ? call.gradient().template sample<float>(n) : std::span<float>();
    std::fill(dx.begin(), dx.end(), 0.0f);
    const double weight = call.weight(n);
    if (weight == 0) return 0;
    if (!has_targets(call, n, target)) return 0;
    const size_t base = n * (x.size() / static_cast<size_t>(x.shape(0)));
    const Out values = x.f32();
    double sum = 0;
    detail::valid_runs(x, n, [&](size_t first, size_t valid) {
      for (size_t i = first; i < first + valid; ++i) {
        const ElementValue one = self().at(values[i], target(i));
        sum += one.loss;
        if (!dx.empty()) dx[i - base] = static_cast<float>(factor * weight * one.slope);
      }
    });
    return weight * sum;
  }

  // Tells of a sample whose targets are none.
  template <class Target>
  static bool has_targets(const LossCall& call, size_t n, const Target& target) {
    bool all = true;
    if constexpr (detail::RefusesTargets<Self>) {
      detail::valid_runs(call.prediction(), n, [&](size_t first, size_t valid) {
        for (size_t i = first; i < first + valid; ++i) all = all && Self::is_target(target(i));
      });
      if (!all) call.bad_target(static_cast<int64_t>(n));
    }
    return all;
  }
};

}  // namespace plait::sdk
