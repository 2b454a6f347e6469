// How many samples of a class are found, class by class.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

// state: [C] right answers, [C] samples of the class
struct Recall : ClassShares<Recall> {
  static constexpr double kFactor = 1;
  static constexpr const char* kMeanDoc = "mean over the classes that have samples of their recall, 0 to 1";
  static constexpr const char* kClassDoc = "share of this class's samples that are found, 0 to 1";

  static void describe(Describe<Recall>& d) {
    d.doc("share of each class's samples that are found, and the mean over classes");
    d.details(
        "class c: right(c) / samples(c), 0 where it has none; mean: over the classes that have samples "
        "(macro-averaged).\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every position within its\n"
        "sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32; others are left out.\n"
        "The same numbers as class_accuracy's. The average over samples (micro-averaged) is accuracy.");
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

PLAIT_PLUGIN("plait.recall", "1.0.0", "Apache-2.0", metric<Recall>("plait.recall"));
