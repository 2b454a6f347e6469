// Binary cross entropy that looks away from what is answered well.
#include <plait/element_loss.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct Focal : ElementLoss<Focal> {
  double gamma = 2, alpha = 0.25;

  static void describe(Describe<Focal>& d) {
    d.doc("binary cross entropy times (1 - p_t)^gamma: what is answered well hardly counts");
    d.details(
        "-a (1 - p_t)^gamma log p_t; p = sigmoid(prediction); p_t = p and a = alpha for a target of 1, p_t = "
        "1 - p and\n"
        "a = 1 - alpha for 0; of shares t between: p_t = t p + (1 - t) (1 - p), a in the same way, and in "
        "place of -log p_t "
        "the binary\n"
        "cross entropy. Prediction: plain scores; no sigmoid layer comes before it. Other targets are told "
        "by their sample.\n"
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample. Elements past a sample's\n"
        "length count for nothing. Weights of samples: each element weighs as its sample; the mean is over "
        "the sum of weights.\n"
        "Source: Lin, Goyal, Girshick, He, Dollar 2017, equation 5.");
    d.field("gamma", &Focal::gamma).doc("how far it looks away; 0: not at all").range(0, 10);
    d.field("alpha", &Focal::alpha).doc("weight of a target of 1, beside 1 - alpha of 0").range(0, 1);
  }
  static bool is_target(double t) { return t >= 0 && t <= 1; }
  ElementValue at(double x, double t) const {
    if (x != x) return {x, x};
    const double small = std::exp(-std::abs(x)), rest = std::log1p(small);
    const double p = (x > 0 ? 1 : small) / (1 + small), q = (x > 0 ? small : 1) / (1 + small);
    const double entropy = (1 - t) * ((x > 0 ? x : 0) + rest) + t * ((x < 0 ? -x : 0) + rest);
    const double wrong = t * q + (1 - t) * p;  // 1 - p_t
    const double share = alpha * t + (1 - alpha) * (1 - t);
    if (wrong == 0) return {share * (gamma == 0 ? entropy : 0), gamma == 0 ? share * (p - t) : 0};
    const double looks = std::pow(wrong, gamma);
    // By x: wrong' = p q (1 - 2 t).
    const double turns = gamma * looks / wrong * p * q * (1 - 2 * t);
    return {share * looks * entropy, share * (turns * entropy + looks * ((1 - t) * p - t * q))};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.focal", "1.0.0", "Apache-2.0", loss<Focal>("plait.focal"));
