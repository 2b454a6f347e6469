#include "train/variance_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plait::inline train {
namespace {

// v + (m - M)^2, held within f32's range.
float about(float variance, float mean, float of_all) {
  const double off = static_cast<double>(mean) - static_cast<double>(of_all);
  constexpr double kLargest = std::numeric_limits<float>::max();
  return static_cast<float>(std::min(static_cast<double>(variance) + off * off, kLargest));
}

}  // namespace

Result<std::unique_ptr<VarianceSum>> VarianceSum::create(std::vector<Pair> pairs, int64_t total_weight) {
  std::unique_ptr<VarianceSum> sum(new VarianceSum(std::move(pairs)));
  std::vector<Segment> segments;
  for (const Pair& pair : sum->pairs_) {
    segments.push_back({pair.name, sum->count_, pair.count, ReduceRule::kMean});
    sum->count_ += pair.count;
  }
  PLAIT_ASSIGN(sum->sum_, ExactSum::create(std::move(segments), total_weight));
  return sum;
}

VarianceSum::Kept& VarianceSum::next_kept() {
  std::lock_guard lock(mutex_);
  if (used_ == kept_.size()) {
    kept_.push_back(std::make_unique<Kept>());
    kept_.back()->means.resize(count_);
    kept_.back()->variances.resize(count_);
  }
  return *kept_[used_++];
}

Status VarianceSum::keep(std::span<const float> values, int32_t weight) {
  Kept& kept = next_kept();
  kept.weight = weight;
  size_t at = 0;
  for (const Pair& pair : pairs_) {
    const std::span<const float> variance = values.subspan(pair.variance, pair.count);
    if (!std::ranges::all_of(variance, [](float v) { return std::isfinite(v); }))
      return {Code::kNumeric, "\"" + pair.name + "\": a variance is not finite"};
    std::ranges::copy(values.subspan(pair.mean, pair.count), kept.means.data() + at);
    std::ranges::copy(variance, kept.variances.data() + at);
    at += pair.count;
  }
  return {};
}

Status VarianceSum::reduce(Transport& transport, std::span<const float> means) {
  sum_->begin();
  for (size_t k = 0; k < used_; ++k) {
    Kept& kept = *kept_[k];
    size_t at = 0;
    for (const Pair& pair : pairs_) {
      for (size_t i = 0; i < pair.count; ++i, ++at)
        kept.variances[at] = about(kept.variances[at], kept.means[at], means[pair.mean + i]);
    }
    PLAIT_TRY(sum_->accumulate(kept.variances, kept.weight));
  }
  return sum_->reduce(transport);
}

void VarianceSum::write(std::span<float> out) const {
  std::vector<float> variances(count_);
  sum_->mean(variances);
  size_t at = 0;
  for (const Pair& pair : pairs_) {
    std::copy_n(variances.data() + at, pair.count, out.data() + pair.variance);
    at += pair.count;
  }
}

}  // namespace plait::inline train
