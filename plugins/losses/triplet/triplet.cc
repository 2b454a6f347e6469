// Distances within triplets: to what is alike, and to what is not.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Triplet {
  static constexpr Count predictions = 3, targets = 0;
  static constexpr bool weighted = true;

  double margin = 0.2;

  static void describe(Describe<Triplet>& d) {
    d.doc("max(0, |anchor - positive|^2 - |anchor - negative|^2 + margin)");
    d.details(
        "Shapes: three predictions [N, ...] f32 of one shape; no target. |x|^2 is the sum over a sample.\n"
        "The mean is over the samples, by their weights.\n"
        "Gradient of a sample's loss, where that is above 0: 2 (negative - positive) to the anchor, 2 "
        "(positive "
        "- anchor),\n"
        "2 (anchor - negative); else 0.\n"
        "Source: Schroff, Kalenichenko, Philbin 2015, equation 3.");
    d.field("margin", &Triplet::margin).doc("by which the negative lies further away").range(0, 1e6);
  }
  static void ports(Ports& p) {
    p.prediction("anchor", "[N, ...]").doc("what the others are compared with");
    p.prediction("positive", "[N, ...]").doc("of the anchor's kind");
    p.prediction("negative", "[N, ...]").doc("of another kind");
  }

  void check(const LossShapes& s) const {
    const Spec anchor = s.prediction(0);
    if (anchor.dtype() != DType::f32 || anchor.rank() < 2 || anchor.variable_axis() >= 0)
      s.fail("the anchor is ", anchor, ", wanted f32[N, ...] without a variable axis");
    for (size_t i = 1; i < 3; ++i) {
      const Spec other = s.prediction(i);
      if (other.dtype() == anchor.dtype() && std::ranges::equal(other.shape(), anchor.shape())) continue;
      s.fail("the ", i == 1 ? "positive" : "negative", " is ", other, ", the anchor ", anchor,
             "; wanted one shape");
    }
  }
  uint64_t workspace_bytes(const LossShapes& s) const {
    return static_cast<uint64_t>(s.prediction().shape(0)) * sizeof(double);
  }

  void compute(Context& c, const LossCall& call) const {
    const auto samples = static_cast<size_t>(call.prediction().shape(0));
    double count = 0;
    for (size_t n = 0; n < samples; ++n) count += call.weight(n);
    auto* const losses = call.workspace<double>();
    const double scale = count > 0 ? 2 * call.gradient_scale() / count : 0;
    c.parallel_for(samples, kGrain, [&](size_t n) { losses[n] = one(call, n, scale * call.weight(n)); });
    double sum = 0;
    for (size_t n = 0; n < samples; ++n)
      if (call.weight(n) > 0) sum += call.weight(n) * losses[n];
    call.set_result(sum, count);
  }

 private:
  static constexpr uint64_t kGrain = 16;  // samples in a piece of work

  static double distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double apart = double{a[i]} - b[i];
      sum += apart * apart;
    }
    return sum;
  }

  // to = factor (a - b)
  static void write(const Tensor& gradient, size_t n, float factor, std::span<const float> a,
                    std::span<const float> b) {
    if (!gradient) return;
    const auto to = gradient.sample<float>(n);
    for (size_t i = 0; i < to.size(); ++i) to[i] = factor == 0 ? 0 : factor * (a[i] - b[i]);
  }

  double one(const LossCall& call, size_t n, double factor) const {
    const std::span<const float> a = call.prediction(0).sample<float>(n),
                                 p = call.prediction(1).sample<float>(n),
                                 x = call.prediction(2).sample<float>(n);
    const double loss = distance(a, p) - distance(a, x) + margin;
    // Not below 0, so that a NaN among the numbers reaches the loss.
    const float by = loss <= 0 ? 0 : static_cast<float>(factor);
    write(call.gradient(0), n, by, x, p);
    write(call.gradient(1), n, by, p, a);
    write(call.gradient(2), n, by, a, x);
    return loss <= 0 ? 0 : loss;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.triplet", "1.0.0", "Apache-2.0", loss<Triplet>("plait.triplet"));
