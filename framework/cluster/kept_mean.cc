#include "cluster/kept_mean.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>

namespace plait::inline cluster {

KeptMean::KeptMean(std::vector<Segment> segments, int64_t total_weight, size_t shards)
    : segments_(std::move(segments)), total_weight_(total_weight), values_(shards), weights_(shards) {
  assert(is_possible(total_weight));
  assert(std::ranges::all_of(segments_, [](const Segment& s) { return s.rule == ReduceRule::kMean; }));
}

void KeptMean::begin() {
  std::ranges::fill(values_, nullptr);
  std::ranges::fill(weights_, 0);
}

Status KeptMean::keep(size_t shard, std::span<const float> values, int32_t weight) {
  for (const Segment& segment : segments_)
    PLAIT_TRY(check_finite(segment, 0, values.subspan(segment.offset, segment.count)));
  values_[shard] = values.data();
  weights_[shard] = weight;
  return {};
}

Status KeptMean::check_complete() const {
  return check_weights(std::accumulate(weights_.begin(), weights_.end(), int64_t{0}), total_weight_);
}

void KeptMean::write(size_t first, std::span<float> out) const {
  if (total_weight_ == 1) {
    std::copy_n(values_.front() + first, out.size(), out.begin());
    return;
  }
  std::array<const float*, kLargestKeptTotal> from;  // each shard weighs 1 or more
  std::ranges::transform(values_, from.begin(), [&](const float* values) { return values + first; });
  write_mean_of(out, std::span(from).first(values_.size()), weights_, static_cast<double>(total_weight_));
}

}  // namespace plait::inline cluster
