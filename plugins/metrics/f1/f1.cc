// Harmonic mean of precision and recall, class by class.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

// state: [C] right answers, [C] samples of the class and answers that name it
struct F1 : ClassShares<F1> {
  static constexpr double kFactor = 2;
  static constexpr const char* kMeanDoc = "mean over the classes of their F1, 0 to 1";
  static constexpr const char* kClassDoc = "harmonic mean of this class's precision and recall, 0 to 1";

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
};

}  // namespace

PLAIT_PLUGIN("plait.f1", "1.0.0", "Apache-2.0", metric<F1>("plait.f1"));
