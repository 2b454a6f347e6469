// Which class is taken for which.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

// state: [C, C] samples of the first class that were answered as the second, then [C] those without an answer
struct ConfusionMatrix {
  static constexpr int64_t kMostClasses = 63;  // 63 * 63 + 1 values; a metric may have 4096

  static void describe(Describe<ConfusionMatrix>& d) {
    d.doc(
        "share of each class's samples that are answered as each class, and the share of all that are right");
    d.details(
        "a_as_b: answered(a, b) / samples(a), 0 where a has none. A row that does not sum to 1 has answers "
        "that are no numbers.\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every position within its\n"
        "sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32;\n"
        "others are left out. Of at most 63 classes; counts of any number of classes are the task "
        "confusion's.");
  }

  void name_values(MetricValues& v) const {
    v.value("", MetricValue::kHigher, "share of all samples on the diagonal, 0 to 1");
    const auto names = v.class_names(static_cast<size_t>(v.prediction().shape(-1)));
    for (size_t a = 0; a < names.size(); ++a)
      for (size_t b = 0; b < names.size(); ++b)
        v.value(names[a] + "_as_" + names[b], a == b ? MetricValue::kHigher : MetricValue::kLower,
                "share of the first class's samples that are answered as the second, 0 to 1");
  }
  size_t state_size(Spec prediction, Spec target) const {
    check_class_answers(prediction, target);
    if (prediction.shape(-1) > kMostClasses)
      throw Error("prediction is ", prediction, ", wanted at most ", kMostClasses, " classes");
    const auto classes = static_cast<size_t>(prediction.shape(-1));
    return classes * (classes + 1);
  }
  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ClassAnswers answers(prediction, target);
    const size_t classes = answers.classes();
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto label = answers.counts(i) ? answers.label(i) : std::nullopt;
      if (!label) continue;
      const auto answer = answers.best(i);
      state[answer ? *label * classes + *answer : classes * classes + *label] += 1;
    }
  }
  void finish(std::span<const double> state, std::span<double> values) const {
    size_t classes = 0;
    while (classes * (classes + 1) < state.size()) ++classes;
    double right = 0, all = 0;
    for (size_t a = 0; a < classes; ++a) {
      const auto row = state.subspan(a * classes, classes);
      double samples = state[classes * classes + a];
      for (const double one : row) samples += one;
      for (size_t b = 0; b < classes; ++b) values[1 + a * classes + b] = samples > 0 ? row[b] / samples : 0;
      right += row[a], all += samples;
    }
    values[0] = all > 0 ? right / all : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.confusion_matrix", "1.0.0", "Apache-2.0",
             metric<ConfusionMatrix>("plait.confusion_matrix"));
