// Kullback-Leibler divergence of a target distribution from a predicted one.
#include <plait/element_loss.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct KlDivergence : ElementLoss<KlDivergence> {
  static constexpr bool by_row = true;

  static void describe(Describe<KlDivergence>& d) {
    d.doc("sum of t (log t - prediction): how far predicted probabilities are from those of the target");
    d.details(
        "Prediction: logarithms of probabilities, as the layer log_softmax makes them. Target t: "
        "probabilities; 0 log 0 is 0, "
        "and what is\n"
        "negative or no number is told by its sample. The sum is over the last axis, the mean over samples "
        "and positions.\n"
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample. Elements past a sample's\n"
        "length count for nothing. Weights of samples: each element weighs as its sample; the mean is over "
        "the sum of weights.\n"
        "Gradient of the mean: -t / count.\n"
        "Source: Kullback, Leibler 1951; as PyTorch's KLDivLoss(reduction=\"batchmean\") for [N, C].");
  }
  static bool is_target(double t) { return t >= 0 && t <= 1e30; }
  void check_more(const LossShapes& s) const {
    if (s.prediction().rank() < 2) s.fail("prediction is ", s.prediction(), ", wanted f32[N, ..., classes]");
  }
  // What has no probability in the target is no loss, whatever is predicted; NaN stays.
  ElementValue at(double x, double t) const {
    if (t == 0) return {x != x ? x : 0, 0};
    return {t * (std::log(t) - x), -t};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.kl_divergence", "1.0.0", "Apache-2.0", loss<KlDivergence>("plait.kl_divergence"));
