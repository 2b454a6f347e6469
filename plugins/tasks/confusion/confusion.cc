// Which classes are taken for which.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <string>

using namespace plait::sdk;

namespace {

struct Confusion {
  std::string prediction, label = "label";
  bool figures = false;

  static void describe(Describe<Confusion>& d) {
    d.doc("how many records of each class are taken for each class");
    d.details(
        "Records: a part f32 [classes], scores of which the largest (the first of equal ones) is the "
        "predicted "
        "class, and a\n"
        "part i32 or i64 of one element, the number of the true one.\n"
        "Output: count i64 [classes, classes], count[t, p] of true class t taken for p. With figures, beside "
        "it of "
        "each class\n"
        "precision = count[c, c] / sum over t of count[t, c], recall = count[c, c] / sum over p of count[c, "
        "p], f1 = "
        "2 precision\n"
        "recall / (precision + recall), all f64 [classes], 0 where there is nothing to divide by; and "
        "accuracy f64 "
        "[1].\n"
        "Fails with kInvalid for a class outside 0 .. classes - 1 and for scores that are NaN, naming the "
        "record.");
    d.field("prediction", &Confusion::prediction)
        .doc("part that holds the scores; none: the only other one that is f32 of one axis");
    d.field("label", &Confusion::label).doc("part that holds the true class");
    d.field("figures", &Confusion::figures).doc("whether precision, recall, f1 and accuracy are outputs too");
  }

  static void examples(Examples& e) {
    e.add("").input(DType::f32, {3}, "f3").input(DType::i32, {}, "label").integers_below(3);
    e.add("prediction: \"p\" label: \"y\" figures: true")
        .input(DType::f32, {2}, "p")
        .input(DType::i64, {1}, "y")
        .integers_below(2);
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& truth = parts.part(label);
    const bool is_integer = truth.dtype == DType::i32 || truth.dtype == DType::i64;
    bool is_one = truth.variable_axis < 0;
    for (const int64_t extent : truth.shape) is_one = is_one && extent == 1;
    if (!is_integer || !is_one)
      throw Error("part \"", label, "\" is ", name_of(truth.dtype), std::span<const int64_t>(truth.shape),
                  ", wanted one number i32 or i64");
    const int64_t classes = scores(parts).shape[0];
    a.count("count", {classes, classes});
    if (!figures) return;
    a.output("count", DType::i64, {classes, classes});
    for (const char* name : {"precision", "recall", "f1"}) a.output(name, DType::f64, {classes});
    a.output("accuracy", DType::f64, {1});
  }

  void map(Context&, const Records& records, Accumulated& out) const {
    const Tensor truth = records.part(label);
    const Tensor given = records.part(prediction.empty() ? name_of_scores(records) : prediction);
    const auto count = out.data<int64_t>("count");
    if (truth.dtype() == DType::i32)
      add_up(truth.data<int32_t>(), given, records.first(), count);
    else
      add_up(truth.data<int64_t>(), given, records.first(), count);
  }

  bool finish(Context&, Pass& pass) const {
    if (!figures) return false;
    const auto count = pass.accumulated<int64_t>("count");
    std::ranges::copy(count, pass.output<int64_t>("count").begin());
    const auto precision = pass.output<double>("precision"), recall = pass.output<double>("recall"),
               f1 = pass.output<double>("f1");
    const size_t n = precision.size();
    int64_t right = 0, all = 0;
    for (size_t c = 0; c < n; ++c) {
      int64_t taken = 0, there = 0;
      for (size_t k = 0; k < n; ++k) taken += count[k * n + c], there += count[c * n + k];
      const int64_t hit = count[c * n + c];
      precision[c] = share(hit, taken), recall[c] = share(hit, there);
      const double sum = precision[c] + recall[c];
      f1[c] = sum > 0 ? 2 * precision[c] * recall[c] / sum : 0;
      right += hit, all += there;
    }
    pass.output<double>("accuracy")[0] = share(right, all);
    return false;
  }

 private:
  static double share(int64_t of, int64_t all) {
    return all > 0 ? static_cast<double>(of) / static_cast<double>(all) : 0;
  }

  bool can_be_scores(const PartSpec& part) const {
    return part.name != label && part.dtype == DType::f32 && part.shape.size() == 1 && part.variable_axis < 0;
  }

  const PartSpec& scores(const Parts& parts) const {
    const PartSpec* found = nullptr;
    for (const PartSpec& part : parts) {
      if (!prediction.empty() ? part.name != prediction : !can_be_scores(part)) continue;
      if (found != nullptr)
        throw Error("both \"", found->name, "\" and \"", part.name, "\" can be the scores: name one of them");
      found = &part;
    }
    if (found == nullptr && prediction.empty()) throw Error("no part is f32 of one axis, which scores are");
    if (found == nullptr) (void)parts.part(prediction);  // says which there are
    if (!can_be_scores(*found))
      throw Error("part \"", found->name, "\" is ", name_of(found->dtype),
                  std::span<const int64_t>(found->shape), ", wanted f32 [classes]");
    return *found;
  }

  std::string name_of_scores(const Records& records) const {
    for (size_t i = 0; i < records.n_parts(); ++i) {
      const Tensor part = records.part(i);
      if (part.name() != label && part.dtype() == DType::f32 && part.rank() == 2)
        return std::string(part.name());
    }
    throw Error("no part is f32 of one axis, which scores are");
  }

  template <class V>
  static void add_up(std::span<V> truth, const Tensor& given, int64_t first, std::span<int64_t> count) {
    const auto classes = static_cast<size_t>(given.shape(1));
    const std::span<float> scores = given.f32();
    for (size_t i = 0; i < truth.size(); ++i) {
      const int64_t record = first + static_cast<int64_t>(i), label = truth[i];
      if (label < 0 || label >= static_cast<int64_t>(classes))
        throw Error("record ", record, " has class ", label, ", wanted 0 to ", classes - 1);
      size_t best = 0;
      for (size_t c = 0; c < classes; ++c) {
        const float score = scores[i * classes + c];
        if (std::isnan(score)) throw Error("record ", record, ": the score of class ", c, " is NaN");
        if (score > scores[i * classes + best]) best = c;
      }
      ++count[static_cast<size_t>(label) * classes + best];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.confusion", "1.0.0", "Apache-2.0", task<Confusion>("plait.confusion"));
