// Area under the receiver operating characteristic, exact: a count of pairs; and under precision over recall.
#include <plait/classes.hpp>
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace plait::sdk;

namespace {

constexpr int64_t kMostClasses = 4095;  // with the mean, as many values as a metric may have
constexpr double kChance = 0.5;

struct Scored {
  double score;
  bool positive;
};

// Lowest first; a score that is no number is lower than any other.
void sort_by_score(std::vector<Scored>& samples) {
  for (Scored& one : samples)
    if (std::isnan(one.score)) one.score = -INFINITY;
  std::ranges::sort(samples, {}, &Scored::score);
}

// Pairs of a positive and a negative of which the positive is higher, ties counted half, over all pairs.
// Whole numbers until the division. Nothing without pairs. Sorted.
std::optional<double> area_of_roc(const std::vector<Scored>& samples) {
  uint64_t positives = 0, negatives = 0, twice = 0;
  for (size_t begin = 0, end = 0; begin < samples.size(); begin = end) {
    uint64_t of_both[2] = {0, 0};  // with this score: negatives, positives
    for (; end < samples.size() && samples[end].score == samples[begin].score; ++end)
      of_both[samples[end].positive] += 1;
    twice += of_both[1] * (2 * negatives + of_both[0]);
    negatives += of_both[0], positives += of_both[1];
  }
  if (positives == 0 || negatives == 0) return std::nullopt;
  return static_cast<double>(twice) / (2 * static_cast<double>(positives) * static_cast<double>(negatives));
}

// The sum of precision(k) (recall(k) - recall(k - 1)) over thresholds k, from the highest score on: the
// samples of one score come in together. Nothing without positives. Sorted.
std::optional<double> average_precision(const std::vector<Scored>& samples) {
  uint64_t positives = 0, taken = 0;
  double sum = 0;
  for (size_t end = samples.size(), begin = end; end > 0; end = begin) {
    uint64_t of_this_score = 0;
    for (; begin > 0 && samples[begin - 1].score == samples[end - 1].score; --begin)
      of_this_score += samples[begin - 1].positive ? 1 : 0;
    positives += of_this_score, taken += end - begin;
    sum += static_cast<double>(of_this_score) * (static_cast<double>(positives) / static_cast<double>(taken));
  }
  if (positives == 0) return std::nullopt;
  return sum / static_cast<double>(positives);
}

enum class Curve { kRoc, kPrecisionRecall };
enum class Scores { kSoftmax, kGiven };

// A row: the score of every class that is told apart, then the class that is right.
struct Auc {
  static constexpr bool two_axes = true;

  Scores scores = Scores::kSoftmax;
  Curve curve = Curve::kRoc;

  static void describe(Describe<Auc>& d) {
    d.doc(
        "area under the curve of ROC, or of precision and recall, of two classes or of each class against "
        "the rest");
    d.details(
        "P(score of a positive > score of a negative) + P(equal) / 2, counted over all pairs.\n"
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every\n"
        "position within its sample's length counts. C = 1: the higher, the more of class 1; target 0 or 1. "
        "C = 2: class 1\n"
        "is positive. C > 2: each class against the rest, and the mean over classes that have both. 0.5 "
        "without pairs.\n"
        "Targets: class numbers as i32, i64, u8 or f32; others are left out.\n"
        "precision_recall: sum of precision(k) (recall(k) - recall(k - 1)) over thresholds k, which is "
        "called average "
        "precision; C > 2:\n"
        "the mean over classes that occur; 0 where none does.\n"
        "Source: Hanley, McNeil 1982, section II (the area is Wilcoxon's statistic, ties counted half); "
        "average precision as\n"
        "scikit-learn's average_precision_score.");
    d.field("scores", &Auc::scores)
        .doc("what orders the samples: softmax of the prediction (by logarithms), or the prediction as it is")
        .choices({"softmax", "given"});
    d.field("curve", &Auc::curve)
        .doc(
            "of true over false positives, or of precision over recall, which tells more where positives are "
            "rare")
        .choices({"roc", "precision_recall"});
  }

  void name_values(MetricValues& v) const {
    const auto places = static_cast<size_t>(v.prediction().shape(-1));
    const bool is_roc = curve == Curve::kRoc;
    v.value(is_roc ? "" : "precision_recall", MetricValue::kHigher,
            is_roc ? "area under the ROC curve, 0 to 1; of more than two classes the mean"
                   : "average precision, 0 to 1; of more than two classes the mean");
    if (places <= 2) return;
    for (const std::string& name : v.class_names(places))
      v.value(is_roc ? name : "precision_recall." + name, MetricValue::kHigher,
              is_roc ? "area under the ROC curve of this class against the rest"
                     : "average precision of this class against the rest");
  }
  size_t row_size(Spec prediction, Spec target) const {
    check_class_answers(prediction, target);
    if (prediction.shape(-1) > kMostClasses)
      throw Error("prediction is ", prediction, ", wanted at most ", kMostClasses, " classes");
    return told_apart(static_cast<size_t>(prediction.shape(-1))) + 1;
  }
  void update_rows(Context&, Tensor prediction, Tensor target, RowsOut& rows) const {
    const ClassAnswers answers(prediction, target);
    const size_t most = std::max<size_t>(answers.classes(), 2);
    std::vector<double> row(rows.width());
    for (size_t i = 0; i < answers.size(); ++i) {
      const double label = answers.number_at(i);
      if (!answers.counts(i) || !(label >= 0 && label < static_cast<double>(most))) continue;
      row.back() = std::floor(label);
      score(answers.scores(i), std::span(row).first(row.size() - 1));
      rows.append(row);
    }
  }
  void finish_rows(std::span<const double>, RowsIn rows, std::span<double> values) const {
    const size_t scored = rows.width() - 1;
    std::vector<Scored> samples(rows.size());
    double sum = 0, found = 0;
    for (size_t c = 0; c < scored; ++c) {
      const double positive = scored == 1 ? 1 : static_cast<double>(c);
      for (size_t i = 0; i < rows.size(); ++i) samples[i] = {rows[i][c], rows[i][scored] == positive};
      sort_by_score(samples);
      const bool is_roc = curve == Curve::kRoc;
      const std::optional<double> one = is_roc ? area_of_roc(samples) : average_precision(samples);
      if (scored > 1) values[1 + c] = one.value_or(without());
      sum += one.value_or(0);
      found += one.has_value();
    }
    values[0] = found > 0 ? sum / found : without();
  }

 private:
  double without() const { return curve == Curve::kRoc ? kChance : 0; }
  static size_t told_apart(size_t classes) { return classes <= 2 ? 1 : classes; }

  void score(std::span<const float> x, std::span<double> to) const {
    if (x.size() == 1) {
      to[0] = x[0];
    } else if (x.size() == 2) {
      to[0] = scores == Scores::kGiven ? double{x[1]} : double{x[1]} - double{x[0]};
    } else if (scores == Scores::kGiven) {
      std::copy(x.begin(), x.end(), to.begin());
    } else {
      against_the_rest(x, to);
    }
  }
  // The order of p(c) = softmax is that of log p(c) / (1 - p(c)) = x(c) - log(sum over the others of exp x),
  // which has no ties where p is 0 or 1 but for its rounding.
  static void against_the_rest(std::span<const float> x, std::span<double> to) {
    for (size_t c = 0; c < x.size(); ++c) {
      double most = -INFINITY, sum = 0;
      for (size_t i = 0; i < x.size(); ++i)
        if (i != c) most = std::max(most, double{x[i]});
      for (size_t i = 0; i < x.size(); ++i)
        if (i != c) sum += std::exp(x[i] - most);
      to[c] = x[c] - most - std::log(sum);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.auc", "1.0.0", "Apache-2.0", metric<Auc>("plait.auc"));
