// Share of right answers, class by class.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

constexpr int64_t kMostClasses = 4095;  // with the mean, as many values as a metric may have

// state: [C] right answers, [C] samples of the class
struct ClassAccuracy {
  static void describe(Describe<ClassAccuracy>& d) {
    d.doc("share of each class's samples that are found, and the mean over classes");
    d.details(
        "class c: right(c) / samples(c), 0 where it has none; mean: over the classes that have samples.\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every\n"
        "position within its sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32.\n"
        "The mean is called balanced accuracy, or macro-averaged recall.");
  }

  void name_values(MetricValues& v) const {
    v.value("", MetricValue::kHigher, "mean over the classes of the share that is found, 0 to 1");
    for (const std::string& name : v.class_names(static_cast<size_t>(v.prediction().shape(-1))))
      v.value(name, MetricValue::kHigher, "share of this class's samples that is found, 0 to 1");
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
      const auto label = answers.counts(i) ? answers.label(i) : std::nullopt;
      if (!label) continue;
      state[*label] += answers.best(i) == label;
      state[classes + *label] += 1;
    }
  }
  void finish(std::span<const double> state, std::span<double> values) const {
    const size_t classes = state.size() / 2;
    double sum = 0, found = 0;
    for (size_t c = 0; c < classes; ++c) {
      const double samples = state[classes + c];
      values[1 + c] = samples > 0 ? state[c] / samples : 0;
      sum += values[1 + c];
      found += samples > 0;
    }
    values[0] = found > 0 ? sum / found : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.class_accuracy", "1.0.0", "Apache-2.0", metric<ClassAccuracy>("plait.class_accuracy"));
