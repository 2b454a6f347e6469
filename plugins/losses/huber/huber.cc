// Squares of small differences, sizes of large ones.
#include <plait/element_loss.hpp>
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

struct Huber : ElementLoss<Huber> {
  double delta = 1;

  static void describe(Describe<Huber>& d) {
    d.doc("d^2 / 2 of differences up to delta, and delta (|d| - delta / 2) of larger ones");
    d.details(
        "d = prediction - target; the mean is over all elements.\n"
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample. Elements past a sample's\n"
        "length count for nothing. Weights of samples: each element weighs as its sample; the mean is over "
        "the sum of weights.\n"
        "Gradient of the mean: d / count, bounded by delta / count.\n"
        "Source: Huber 1964, section 4; as PyTorch's HuberLoss.");
    d.field("delta", &Huber::delta).doc("where squares end").above(0).at_most(1e6);
  }
  ElementValue at(double x, double t) const {
    const double d = x - t, size = std::abs(d);
    if (size > delta) return {delta * (size - 0.5 * delta), d > 0 ? delta : -delta};
    return {0.5 * d * d, d};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.huber", "1.0.0", "Apache-2.0", loss<Huber>("plait.huber"));
