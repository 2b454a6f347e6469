// Pairs: what is alike is drawn together, the rest pushed apart.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

struct Contrastive {
  static constexpr Count predictions = 2;
  static constexpr bool weighted = true;

  double margin = 1;

  static void describe(Describe<Contrastive>& d) {
    d.doc("|a - b|^2 / 2 of pairs that are alike, max(0, margin - |a - b|)^2 / 2 of others");
    d.details(
        "Shapes: two predictions [N, ...] f32 of one shape; target [N] or [N, 1], 1 where they are alike and "
        "0 where not, f32, u8, "
        "i32 or i64;\n"
        "others are told by their sample. |x| is the length over a sample. The mean is over the samples, by "
        "their weights.\n"
        "Gradient of a sample's loss to a, the opposite to b: a - b; of others (1 - margin / |a - b|) (a - "
        "b) within the margin, "
        "and 0\n"
        "where |a - b| is 0.\n"
        "Source: Hadsell, Chopra, LeCun 2006, equation 4, whose Y is 0 where they are alike.");
    d.field("margin", &Contrastive::margin)
        .doc("how far apart what is not alike is pushed")
        .above(0)
        .at_most(1e6);
  }
  static void examples(Examples& e) {
    e.add().input(DType::f32, {5, 3}).input(DType::f32, {5, 3}).input(DType::i32, {5}).integers_below(2);
    e.add("margin: 0.5")
        .input(DType::f32, {4, 2, 2})
        .input(DType::f32, {4, 2, 2})
        .input(DType::u8, {4, 1})
        .integers_below(2);
  }
  static void ports(Ports& p) {
    p.prediction("a", "[N, ...]").doc("one of each pair");
    p.prediction("b", "[N, ...]").doc("the other");
    p.target("alike", "[N]").doc("1 where both are alike, else 0");
  }

  void check(const LossShapes& s) const {
    const Spec a = s.prediction(0), b = s.prediction(1), t = s.target();
    if (a.dtype() != DType::f32 || a.rank() < 2 || a.variable_axis() >= 0)
      s.fail("a is ", a, ", wanted f32[N, ...] without a variable axis");
    if (b.dtype() != a.dtype() || !std::ranges::equal(b.shape(), a.shape()))
      s.fail("b is ", b, ", and a ", a, "; wanted one shape");
    if (t.dtype() != DType::f32 && t.dtype() != DType::u8 && t.dtype() != DType::i32 &&
        t.dtype() != DType::i64)
      s.fail("target is ", t, ", wanted f32, u8, i32 or i64");
    if (t.rank() < 1 || t.shape(0) != a.shape(0) || t.size() != static_cast<size_t>(a.shape(0)))
      s.fail("target is ", t, ", wanted one number per sample: [", a.shape(0), "]");
  }
  uint64_t workspace_bytes(const LossShapes& s) const {
    return static_cast<uint64_t>(s.prediction().shape(0)) * sizeof(double);
  }

  void compute(Context& c, const LossCall& call) const {
    const auto samples = static_cast<size_t>(call.prediction().shape(0));
    double count = 0;
    for (size_t n = 0; n < samples; ++n) count += call.weight(n);
    const double factor = count > 0 ? call.gradient_scale() / count : 0;
    auto* const losses = call.workspace<double>();
    c.parallel_for(samples, kGrain, [&](uint64_t n) { losses[n] = one(call, n, factor); });
    double sum = 0;
    for (size_t n = 0; n < samples; ++n) sum += losses[n];
    call.set_result(sum, count);
  }

 private:
  static constexpr uint64_t kGrain = 16;  // samples in a piece of work

  static double number_at(const Tensor& t, size_t n) {
    switch (t.dtype()) {
      case DType::u8:
        return t.data<uint8_t>()[n];
      case DType::i32:
        return t.data<int32_t>()[n];
      case DType::i64:
        return static_cast<double>(t.data<int64_t>()[n]);
      default:
        return t.f32()[n];
    }
  }
  // to = factor (a - b)
  static void write(const Tensor& gradient, size_t n, double factor, std::span<const float> a,
                    std::span<const float> b) {
    if (!gradient) return;
    const auto to = gradient.sample<float>(n);
    for (size_t i = 0; i < to.size(); ++i)
      to[i] = factor == 0 ? 0 : static_cast<float>(factor * (double{a[i]} - b[i]));
  }

  double one(const LossCall& call, size_t n, double factor) const {
    const std::span<const float> a = call.prediction(0).sample<float>(n),
                                 b = call.prediction(1).sample<float>(n);
    const double alike = number_at(call.target(), n), weight = call.weight(n);
    const bool is_bad = weight > 0 && alike != 0 && alike != 1;
    if (is_bad) call.bad_target(static_cast<int64_t>(n));
    double square = 0;
    for (size_t i = 0; i < a.size(); ++i) square += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    const double distance = std::sqrt(square), short_of = margin - distance;
    // Not above the margin, so that a NaN among the numbers reaches the loss.
    const bool is_apart = alike == 0 && short_of <= 0;
    const bool counts = weight > 0 && !is_bad && !is_apart;
    const double slope = !counts ? 0 : alike == 1 ? 1 : distance == 0 ? 0 : -short_of / distance;
    write(call.gradient(0), n, slope * weight * factor, a, b);
    write(call.gradient(1), n, slope * weight * factor, b, a);
    if (!counts) return 0;
    return weight * 0.5 * (alike == 1 ? square : short_of * short_of);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.contrastive", "1.0.0", "Apache-2.0", loss<Contrastive>("plait.contrastive"));
