// Share of right answers.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

#include "rows.h"

using namespace plait::sdk;

namespace {

struct Accuracy {
  static constexpr bool two_axes = true;

  int64_t top = 1;
  static constexpr MetricValue values[] = {
      {"accuracy", MetricValue::kHigher, "share of right answers, 0 to 1"}};

  static void describe(Describe<Accuracy>& d) {
    d.doc("share of samples whose right class has one of the highest scores");
    d.details(
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every\n"
        "position within its sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32.");
    d.field("top", &Accuracy::top).doc("how many answers a prediction may give").range(1, 1e6);
  }

  std::string suffix() const { return top == 1 ? "" : "_top" + std::to_string(top); }

  size_t state_size(Spec prediction, Spec target) const {
    check_class_answers(prediction, target);
    if (top > prediction.shape(-1)) {
      throw Error("top is ", top, ", and prediction is ", prediction,
                  ": every answer would be right; wanted at most ", prediction.shape(-1));
    }
    return 2;  // right answers, all answers
  }

  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ClassAnswers answers(prediction, target);
    for (size_t i = 0; i < answers.size(); ++i) {
      if (!answers.counts(i)) continue;
      if (const std::optional<size_t> label = answers.label(i)) {
        const std::span<const float> scores = answers.scores(i);
        state[0] += plait::accuracy::is_right(scores.data(), scores.size(), *label, top);
      }
      state[1] += 1;
    }
  }

  void finish(std::span<const double> state, std::span<double> results) const {
    results[0] = state[1] > 0 ? state[0] / state[1] : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.accuracy", "1.0.0", "Apache-2.0", metric<Accuracy>("plait.accuracy"));
