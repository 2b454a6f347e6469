#include "train/gradient_rules.h"

#include <algorithm>
#include <cmath>

#include "pipeline/resolved.h"

namespace plait::inline train {
namespace {

using By = ClipSpec::By;

void add_penalty(float* gradients, const float* weights, uint64_t count, float l1, float l2_twice) {
  for (uint64_t i = 0; i < count; ++i) {
    const float w = weights[i];
    const float sign = w > 0 ? 1.0f : w < 0 ? -1.0f : 0.0f;
    gradients[i] += l1 * sign + l2_twice * w;
  }
}

void clip_value(float* gradients, uint64_t count, float most) {
  for (uint64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    gradients[i] = g > most ? most : g < -most ? -most : g;
  }
}

// Eight sums, so that they can be made at once, added in one order.
double sum_of_squares(const float* values, uint64_t count) {
  constexpr uint64_t kSums = 8;
  double sums[kSums] = {};
  uint64_t i = 0;
  for (; i + kSums <= count; i += kSums)
    for (uint64_t k = 0; k < kSums; ++k) sums[k] += static_cast<double>(values[i + k]) * values[i + k];
  for (; i < count; ++i) sums[0] += static_cast<double>(values[i]) * values[i];
  double all = 0;
  for (const double sum : sums) all += sum;
  return all;
}

// 1 where nothing is to be scaled.
float scale_for(double norm, double most) {
  constexpr double kBesideNorm = 1e-6;
  return static_cast<float>(std::min(1.0, most / (norm + kBesideNorm)));
}

void scale(float* gradients, uint64_t count, float by) {
  if (by == 1) return;
  for (uint64_t i = 0; i < count; ++i) gradients[i] *= by;
}

std::vector<bool> parameters_with_gradients(const Plan& plan) {
  std::vector<bool> found(plan.parameters().size(), false);
  for (const Step& step : plan.steps())
    for (const int parameter : step.parameters)
      if (step.backward) found[static_cast<size_t>(parameter)] = true;
  return found;
}

Status not_finite(const std::string& name, double squares, const ClipSpec& clip) {
  return {Code::kNumeric, "clip { " + clip_text(clip) + " }: the norm of the gradient of " + name + " is " +
                              std::string(std::isnan(squares) ? "NaN" : "infinite")};
}

}  // namespace

GradientRules::GradientRules(const Plan& plan, const ClipSpec& clip) : clip_(clip) {
  const std::vector<bool> has_gradient = parameters_with_gradients(plan);
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterPlace& place = plan.parameters()[i];
    const ParameterInfo& info = plan.network().parameters[i];
    if (!place.trained || !has_gradient[i]) continue;
    ranges_.push_back({info.name, place.offset, place.stored, static_cast<float>(info.l1),
                       static_cast<float>(2 * info.l2)});
    has_penalties_ |= info.l1 != 0 || info.l2 != 0;
  }
  std::ranges::sort(ranges_, {}, &Range::begin);
}

Status GradientRules::apply(float* gradients, const float* weights) const {
  for (const Range& one : ranges_)
    if (one.l1 != 0 || one.l2_twice != 0)
      add_penalty(gradients + one.begin, weights + one.begin, one.count, one.l1, one.l2_twice);
  if (clip_.by == By::kValue)
    for (const Range& one : ranges_)
      clip_value(gradients + one.begin, one.count, static_cast<float>(clip_.most));
  if (clip_.by == By::kNorm) return clip_each(gradients);
  return clip_.by == By::kGlobalNorm ? clip_together(gradients) : Status();
}

Status GradientRules::clip_each(float* gradients) const {
  for (const Range& one : ranges_) {
    const double squares = sum_of_squares(gradients + one.begin, one.count);
    if (!std::isfinite(squares)) return not_finite(one.name, squares, clip_);
    scale(gradients + one.begin, one.count, scale_for(std::sqrt(squares), clip_.most));
  }
  return {};
}

Status GradientRules::clip_together(float* gradients) const {
  double all = 0;
  for (const Range& one : ranges_) {
    const double squares = sum_of_squares(gradients + one.begin, one.count);
    if (!std::isfinite(squares)) return not_finite(one.name, squares, clip_);
    all += squares;
  }
  const float by = scale_for(std::sqrt(all), clip_.most);
  for (const Range& one : ranges_) scale(gradients + one.begin, one.count, by);
  return {};
}

}  // namespace plait::inline train
