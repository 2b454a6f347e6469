// Harmonic mean of precision and recall, class by class.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

constexpr int64_t kMostClasses = 4095;  // with the mean, as many values as a metric may have

// state: [C] right answers, [C] samples of the class and answers that name it
struct F1 {
  static void describe(Describe<F1>& d) {
    d.doc("harmonic mean of precision and recall of each class, and the mean over classes");
    d.details(
        "class c: 2 right(c) / (samples(c) + answers(c)), 0 where both are 0; mean: over the other classes.\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every\n"
        "position within its sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32; "
        "what "
        "is\n"
        "none is an answer that is wrong.\n"
        "Source: van Rijsbergen 1979, chapter 7 (effectiveness at equal weights); the mean is "
        "macro-averaged.");
  }

  void name_values(MetricValues& v) const {
    v.value("", MetricValue::kHigher, "mean over the classes of their F1, 0 to 1");
    for (const std::string& name : v.class_names(static_cast<size_t>(v.prediction().shape(-1))))
      v.value(name, MetricValue::kHigher, "harmonic mean of this class's precision and recall, 0 to 1");
  }
  size_t state_size(Spec prediction, Spec target) const {
    check_class_answers(prediction, target);
    if (prediction.shape(-1) > kMostClasses)
      throw Error("prediction is ", prediction, ", wanted at most ", kMostClasses, " classes");
    return 2 * static_cast<size_t>(prediction.shape(-1));
  }
  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ClassAnswers answers(prediction, target);
    const size_t classes = answers.classes();
    for (size_t i = 0; i < answers.size(); ++i) {
      if (!answers.counts(i)) continue;
      const auto label = answers.label(i), answer = answers.best(i);
      if (label) state[classes + *label] += 1;
      if (answer) state[classes + *answer] += 1;
      if (label && answer == label) state[*label] += 1;
    }
  }
  void finish(std::span<const double> state, std::span<double> values) const {
    const size_t classes = state.size() / 2;
    double sum = 0, found = 0;
    for (size_t c = 0; c < classes; ++c) {
      const double both = state[classes + c];
      values[1 + c] = both > 0 ? 2 * state[c] / both : 0;
      sum += values[1 + c];
      found += both > 0;
    }
    values[0] = found > 0 ? sum / found : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.f1", "1.0.0", "Apache-2.0", metric<F1>("plait.f1"));
