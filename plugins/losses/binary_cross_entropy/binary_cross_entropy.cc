// Cross entropy of yes and no, each element by itself.
#include <plait/element_loss.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct BinaryCrossEntropy : ElementLoss<BinaryCrossEntropy> {
  double positive_weight = 1;

  static void describe(Describe<BinaryCrossEntropy>& d) {
    d.doc("-t log p - (1 - t) log(1 - p), p = sigmoid(prediction): several answers of yes or no, or one");
    d.details(
        "Prediction: plain scores; no sigmoid layer comes before it. Targets: 0 and 1, or shares between; "
        "others are told by "
        "their sample.\n"
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample. Elements past a sample's\n"
        "length count for nothing. Weights of samples: each element weighs as its sample; the mean is over "
        "the sum of weights.\n"
        "Gradient of the mean: (p - t) / count, and with w = positive_weight ((1 - t) p - w t (1 - p)) / "
        "count.");
    d.field("positive_weight", &BinaryCrossEntropy::positive_weight)
        .doc("what a target of 1 weighs")
        .above(0)
        .at_most(1e6);
  }
  static bool is_target(double t) { return t >= 0 && t <= 1; }
  // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): nothing overflows.
  ElementValue at(double x, double t) const {
    const double small = std::exp(-std::abs(x)), rest = std::log1p(small);
    const double no = (x > 0 ? x : 0) + rest, yes = (x < 0 ? -x : 0) + rest;
    const double p = (x > 0 ? 1 : small) / (1 + small), q = (x > 0 ? small : 1) / (1 + small);
    if (x != x) return {x, x};
    const double w = positive_weight * t;
    return {(1 - t) * no + w * yes, (1 - t) * p - w * q};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.binary_cross_entropy", "1.0.0", "Apache-2.0",
             loss<BinaryCrossEntropy>("plait.binary_cross_entropy"));
