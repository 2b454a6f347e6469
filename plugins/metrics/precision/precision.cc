// How many of the answers that name a class are right, class by class.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

// state: [C] right answers, [C] answers that name the class
struct Precision : ClassShares<Precision> {
  static constexpr double kFactor = 1;
  static constexpr const char* kMeanDoc =
      "mean over the classes that are answered of their precision, 0 to 1";
  static constexpr const char* kClassDoc = "share of the answers naming this class that are right, 0 to 1";

  static void describe(Describe<Precision>& d) {
    d.doc("share of the answers naming each class that are right, and the mean over classes");
    d.details(
        "class c: right(c) / answers(c), 0 where none names it; mean: over the classes that are answered "
        "(macro-averaged).\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every position within its\n"
        "sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32; what is none is an\n"
        "answer that is wrong. The average over answers (micro-averaged) is accuracy.");
  }

  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ClassAnswers answers(prediction, target);
    const size_t classes = answers.classes();
    for (size_t i = 0; i < answers.size(); ++i) {
      if (!answers.counts(i)) continue;
      const auto answer = answers.best(i);
      if (!answer) continue;
      state[*answer] += answers.label(i) == answer;
      state[classes + *answer] += 1;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.precision", "1.0.0", "Apache-2.0", metric<Precision>("plait.precision"));
