// Share of right answers, class by class.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

// state: [C] right answers, [C] samples of the class
struct ClassAccuracy : ClassShares<ClassAccuracy> {
  static constexpr double kFactor = 1;
  static constexpr const char* kMeanDoc = "mean over the classes of the share that is found, 0 to 1";
  static constexpr const char* kClassDoc = "share of this class's samples that is found, 0 to 1";

  static void describe(Describe<ClassAccuracy>& d) {
    d.doc("share of each class's samples that are found, and the mean over classes");
    d.details(
        "class c: right(c) / samples(c), 0 where it has none; mean: over the classes that have samples.\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every\n"
        "position within its sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32.\n"
        "The mean is called balanced accuracy, or macro-averaged recall.");
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
};

}  // namespace

PLAIT_PLUGIN("plait.class_accuracy", "1.0.0", "Apache-2.0", metric<ClassAccuracy>("plait.class_accuracy"));
