// By how much a wrong class comes within a margin of the right one.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

struct Hinge {
  static constexpr bool weighted = true;
  double margin = 1;
  bool squared = false;

  static void describe(Describe<Hinge>& d) {
    d.doc("how far wrong classes come within a margin of the right one: of a support vector machine");
    d.details(
        "C > 1: sum over the wrong classes i of max(0, margin - x(right) + x(i)), over C. C = 1: max(0, "
        "margin - y x), y = 1 for "
        "class 1\n"
        "and -1 for class 0. squared: each of these squared.\n"
        "Shapes: prediction [N, C] f32 with target [N] or [N, 1]; prediction [N, ..., C] with target [N, "
        "...]: one class per "
        "position,\n"
        "those past a sample's length count for nothing. Targets: class numbers as i32, i64, u8 or f32.\n"
        "Weights of samples: each position weighs as its sample; the mean is over the sum of weights.\n"
        "Source: Weston, Watkins 1999, equation 6, as PyTorch's MultiMarginLoss; of one score Cortes, Vapnik "
        "1995.");
    d.field("margin", &Hinge::margin).doc("by which the right class is wanted ahead").above(0).at_most(1e6);
    d.field("squared", &Hinge::squared).doc("squares: the further behind, the stronger the pull");
  }

  void check(const LossShapes& s) const {
    check_class_answers(s.prediction(), s.target());
    const Spec p = s.prediction(), t = s.target();
    if (p.variable_axis() == p.rank() - 1) s.fail("the classes of prediction ", p, " are its variable axis");
    if (t.shape(0) != p.shape(0)) s.fail("target ", t, " has other samples than prediction ", p);
  }
  // A loss for each position.
  uint64_t workspace_bytes(const LossShapes& s) const { return s.target().size() * sizeof(double); }

  void compute(Context& c, const LossCall& call) const {
    const ClassAnswers answers(call.prediction(), call.target());
    const size_t rows = answers.size(), samples = static_cast<size_t>(call.prediction().shape(0));
    const size_t each = samples > 0 ? rows / samples : 1;
    double count = 0;
    for (size_t row = 0; row < rows; ++row)
      if (answers.counts(row)) count += call.weight(row / each);
    const double factor = count > 0 ? call.gradient_scale() / count : 0;
    auto* const losses = call.workspace<double>();
    c.parallel_for(rows, std::max<size_t>(1, kGrain / answers.classes()),
                   [&](uint64_t row) { losses[row] = one_row(call, answers, row, row / each, factor); });
    double sum = 0;
    for (size_t row = 0; row < rows; ++row) sum += losses[row];
    call.set_result(sum, count);
  }

 private:
  static constexpr size_t kGrain = 4096;  // scores in a piece of work

  struct Miss {
    double loss = 0, slope = 0;
  };
  // NaN stays.
  Miss miss(double by) const {
    if (by <= 0) return {};
    return squared ? Miss{by * by, 2 * by} : Miss{by, 1};
  }

  double one_row(const LossCall& call, const ClassAnswers& answers, size_t row, size_t n,
                 double factor) const {
    const auto x = answers.scores(row);
    const std::span<float> dx =
        call.gradient() ? call.gradient().f32().subspan(row * x.size(), x.size()) : std::span<float>();
    std::fill(dx.begin(), dx.end(), 0.0f);
    const double weight = answers.counts(row) ? call.weight(n) : 0;
    if (weight == 0) return 0;
    const double label = answers.number_at(row);
    const double classes = x.size() == 1 ? 2 : static_cast<double>(x.size());
    if (!(label >= 0 && label < classes && std::floor(label) == label)) {
      call.bad_target(static_cast<int64_t>(n));
      return 0;
    }
    return weight * (x.size() == 1 ? of_one_score(x[0], label == 1, dx, weight * factor)
                                   : of_classes(x, static_cast<size_t>(label), dx, weight * factor));
  }
  double of_one_score(double x, bool is_one, std::span<float> dx, double factor) const {
    const double y = is_one ? 1 : -1;
    const Miss one = miss(margin - y * x);
    if (!dx.empty()) dx[0] = static_cast<float>(-y * one.slope * factor);
    return one.loss;
  }
  double of_classes(std::span<const float> x, size_t right, std::span<float> dx, double factor) const {
    const double share = 1 / static_cast<double>(x.size());
    double sum = 0, slopes = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      if (i == right) continue;
      const Miss one = miss(margin - double{x[right]} + x[i]);
      sum += one.loss, slopes += one.slope;
      if (!dx.empty()) dx[i] = static_cast<float>(one.slope * share * factor);
    }
    if (!dx.empty()) dx[right] = static_cast<float>(-slopes * share * factor);
    return sum * share;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.hinge", "1.0.0", "Apache-2.0", loss<Hinge>("plait.hinge"));
