// What the implementations of softmax_cross_entropy share: its fields and shapes.
#pragma once
#include <optional>
#include <vector>

#include "labels.h"

namespace plait::softmax_cross_entropy {

using namespace plait::sdk;

struct Fields {
  static constexpr bool two_axes = true;
  static constexpr bool weighted = true;

  double label_smoothing = 0;
  std::vector<double> class_weights;
  std::optional<int64_t> ignore;

  static void describe(Describe<Fields>& d) {
    d.doc("-log softmax(prediction)[target]: for one right class out of several, or shares of them");
    d.details(
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "one class\n"
        "per position, positions past a sample's extents count for nothing.\n"
        "Targets: class numbers from 0, as i32, i64, u8 or f32; or [N, ..., C] f32, shares of all classes "
        "that "
        "sum to 1\n"
        "(mixed or smoothed labels): the loss is then the sum of share * -log softmax(prediction).\n"
        "Weights of samples: each position weighs as its sample; the mean is over the sum of weights.\n"
        "Gradient of the mean: (softmax(prediction) - onehot(target)) / count.\n"
        "Prediction: plain scores; no softmax layer comes before it.\n"
        "With s = label_smoothing, class weights w and shares t, or onehot(target), of C classes:\n"
        "q = w ((1 - s) t + s / C); the loss is the sum of q * -log softmax(prediction), its gradient sum(q) "
        "softmax - q;\n"
        "a position counts as w of its class; one of shares as 1. As PyTorch's CrossEntropyLoss.\n"
        "Source: Szegedy et al. 2016, section 7 (smoothing).");
    d.field("label_smoothing", &Fields::label_smoothing)
        .doc("share of every target that all classes have alike")
        .at_least(0)
        .below(1);
    d.field("class_weights", &Fields::class_weights)
        .doc("what each class weighs, in their order; none: 1")
        .range(0, 1e6);
    d.field("ignore", &Fields::ignore)
        .doc("a class number that counts for nothing, whether there is such a class or not")
        .range(-2147483648.0, 2147483647.0);
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() < 2) s.fail("prediction is ", p, ", wanted f32[N, ..., classes]");
    if (t.dtype() == DType::f64 || t.dtype() == DType::bf16 || t.dtype() == DType::f16) {
      s.fail("target is ", t, ", wanted class numbers as i32, i64, u8 or f32");
    }
    if (p.varies(p.rank() - 1)) s.fail("the classes of prediction ", p, " are its variable axis");
    const int positions = p.rank() - 1;
    const bool one_more = t.rank() == p.rank() && t.shape(-1) == 1;
    bool fits = t.rank() == positions || one_more || is_shares(p, t);
    for (int i = 0; fits && i < positions; ++i) fits = t.shape(i) == p.shape(i);
    if (!fits) {
      s.fail("target is ", t,
             ", wanted one class number per position: ", p.shape().first(static_cast<size_t>(positions)));
    }
    if (ignore && *ignore == 0 && p.shape(-1) == 1) s.fail("ignore is 0, the only class of prediction ", p);
    if (!class_weights.empty() && class_weights.size() != static_cast<size_t>(p.shape(-1)))
      s.fail("class_weights has ", class_weights.size(), " numbers, wanted one for each class of prediction ",
             p);
  }

  // Targets are taken as they are.
  bool is_plain() const { return label_smoothing == 0 && class_weights.empty(); }
};

}  // namespace plait::softmax_cross_entropy
