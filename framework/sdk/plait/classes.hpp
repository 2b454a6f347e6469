// What metrics of classes read: scores of a prediction beside the class number that is right; and the base of
// those that report a share for each class (ClassShares).
//
// Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: every
// position within its sample's extents is an answer. Targets: class numbers as i32, i64, u8 or f32.
//
// Threads: [any]
#pragma once
#include <optional>

#include "sdk/metric.hpp"
#include "sdk/tensor.hpp"

namespace plait::sdk {

// Throws Error where no class number lies beside each position.
inline void check_class_answers(Spec prediction, Spec target) {
  if (prediction.dtype() != DType::f32 || prediction.rank() < 2) {
    throw Error("prediction is ", prediction, ", wanted f32[N, ..., classes]");
  }
  if (target.dtype() == DType::f64 || target.dtype() == DType::bf16 || target.dtype() == DType::f16) {
    throw Error("target is ", target, ", wanted class numbers as i32, i64, u8 or f32");
  }
  if (target.size() * static_cast<size_t>(prediction.shape(-1)) != prediction.size()) {
    throw Error("target is ", target, ", wanted one class number per position of prediction ", prediction);
  }
}

// The answers of a batch: positions one after the other. Borrows both tensors.
class ClassAnswers {
 public:
  ClassAnswers(Tensor prediction, Tensor target)
      : prediction_(prediction),
        target_(target),
        classes_(static_cast<size_t>(prediction.shape(-1))),
        size_(prediction.size() / classes_) {}

  size_t size() const { return size_; }  // positions, those that do not count among them
  size_t classes() const { return classes_; }
  std::span<const float> scores(size_t position) const {
    return prediction_.f32().subspan(position * classes_, classes_);
  }
  // Nothing where the target is no class of the prediction.
  std::optional<size_t> label(size_t position) const {
    const double number = number_at(position);
    if (!(number >= 0 && number < static_cast<double>(classes_))) return std::nullopt;
    return static_cast<size_t>(number);
  }
  // The target as a number.
  double number_at(size_t position) const {
    switch (target_.dtype()) {
      case DType::i32:
        return target_.data<int32_t>()[position];
      case DType::i64:
        return static_cast<double>(target_.data<int64_t>()[position]);
      case DType::u8:
        return target_.data<uint8_t>()[position];
      default:
        return target_.f32()[position];
    }
  }
  // The class of the highest score, of equal ones the first; nothing where a score is no number.
  std::optional<size_t> best(size_t position) const {
    const auto all = scores(position);
    size_t found = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] != all[i]) return std::nullopt;
      if (all[i] > all[found]) found = i;
    }
    return found;
  }
  // False past the end of its sample.
  bool counts(size_t position) const {
    if (prediction_.rank() < 3) return true;
    const bool has_none = prediction_.lengths().empty() && prediction_.second_lengths().empty();
    const Tensor of = has_none ? target_ : prediction_;
    return is_within(of, of.variable_axis() < 0 ? 1 : of.variable_axis(), of.lengths(), position) &&
           is_within(of, of.second_axis(), of.second_lengths(), position);
  }

 private:
  bool is_within(Tensor of, int axis, std::span<const int32_t> extents, size_t position) const {
    if (extents.empty()) return true;
    size_t after = size_;  // positions per place of the axis
    for (int i = 0; i <= axis; ++i) after /= static_cast<size_t>(of.shape(i));
    const size_t place = position / after % static_cast<size_t>(of.shape(axis));
    return place < static_cast<size_t>(extents[position / (size_ / extents.size())]);
  }

  Tensor prediction_, target_;
  size_t classes_, size_;
};

// Base of metrics that report a share for each class, and the mean over the classes that have one.
// State: [C] times that a class was right, [C] times that it counts; update of Self adds to both.
// class c: kFactor right(c) / counts(c), 0 where it does not count.
//   static constexpr double kFactor = 1;
//   static constexpr const char* kMeanDoc = "...", *kClassDoc = "...";
// Fails with: kInvalid as check_class_answers, and for more than kMostClasses classes.
template <class Self>
struct ClassShares {
  static constexpr bool two_axes = true;
  static constexpr int64_t kMostClasses = 4095;  // with the mean, as many values as a metric may have

  void name_values(MetricValues& v) const {
    v.value("", MetricValue::kHigher, Self::kMeanDoc);
    for (const std::string& name : v.class_names(static_cast<size_t>(v.prediction().shape(-1))))
      v.value(name, MetricValue::kHigher, Self::kClassDoc);
  }
  size_t state_size(Spec prediction, Spec target) const {
    check_class_answers(prediction, target);
    if (prediction.shape(-1) > kMostClasses)
      throw Error("prediction is ", prediction, ", wanted at most ", kMostClasses, " classes");
    return 2 * static_cast<size_t>(prediction.shape(-1));
  }
  void finish(std::span<const double> state, std::span<double> values) const {
    const size_t classes = state.size() / 2;
    double sum = 0, found = 0;
    for (size_t c = 0; c < classes; ++c) {
      const double counts = state[classes + c];
      values[1 + c] = counts > 0 ? Self::kFactor * state[c] / counts : 0;
      sum += values[1 + c];
      found += counts > 0;
    }
    values[0] = found > 0 ? sum / found : 0;
  }
};

}  // namespace plait::sdk
