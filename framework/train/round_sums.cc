#include "train/round_sums.h"

#include <algorithm>

namespace plait::inline train {
namespace {

ReduceRule rule_of(uint32_t declared) {
  if (declared == PLAIT_REDUCE_MAX) return ReduceRule::kMax;
  return is_reduced(declared) ? ReduceRule::kMean : ReduceRule::kNone;
}

// A trained parameter is averaged whatever it declares.
ReduceRule rule_of(const ParameterInfo& info, const ParameterPlace& place) {
  if (place.trained) return ReduceRule::kMean;
  return info.buffer ? rule_of(info.reduce) : ReduceRule::kNone;
}

// A variance is about the buffer that its layer declares just before it.
std::vector<VarianceSum::Pair> variance_pairs(const Plan& plan) {
  std::vector<VarianceSum::Pair> pairs;
  for (size_t i = 1; i < plan.parameters().size(); ++i) {
    const ParameterInfo& info = plan.network().parameters[i];
    const ParameterPlace &place = plan.parameters()[i], &mean = plan.parameters()[i - 1];
    if (info.buffer && info.reduce == PLAIT_REDUCE_VARIANCE)
      pairs.push_back({info.name, mean.offset, place.offset, place.stored});
  }
  return pairs;
}

// Takes the segments that are no means out of `segments`. Null: there are none.
Result<std::unique_ptr<ExactSum>> take_others(std::vector<Segment>& segments, int64_t total_weight) {
  std::vector<Segment> others = segments;
  bool has_any = false;
  for (size_t i = 0; i < segments.size(); ++i) {
    const bool is_other = segments[i].rule == ReduceRule::kMax;
    has_any = has_any || is_other;
    (is_other ? segments : others)[i].rule = ReduceRule::kNone;
  }
  if (!has_any) return std::unique_ptr<ExactSum>();
  return ExactSum::create(std::move(others), total_weight);
}

}  // namespace

bool is_reduced(uint32_t declared) { return declared != PLAIT_REDUCE_RESET && declared != PLAIT_REDUCE_NONE; }

std::vector<Segment> value_segments(const Plan& plan) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterPlace& place = plan.parameters()[i];
    const ParameterInfo& info = plan.network().parameters[i];
    segments.push_back({info.name, place.offset, place.stored, rule_of(info, place)});
  }
  return segments;
}

std::vector<Segment> slot_segments(const Plan& plan, const SlotInfo& slot) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterPlace& place = plan.parameters()[i];
    if (!place.trained) continue;
    segments.push_back({slot.name + " of " + plan.network().parameters[i].name, place.offset, place.stored,
                        rule_of(slot.reduce)});
  }
  return segments;
}

// One shard's variances stay as they are.
Status RoundSums::take_variances(std::vector<Segment>& segments, std::vector<VarianceSum::Pair> pairs,
                                 int64_t total_weight) {
  if (total_weight == 1 || pairs.empty()) return {};
  for (Segment& segment : segments)
    for (const auto& pair : pairs)
      if (segment.offset == pair.variance && segment.count == pair.count) segment.rule = ReduceRule::kNone;
  PLAIT_ASSIGN(variances_, VarianceSum::create(std::move(pairs), total_weight));
  return {};
}

Status RoundSums::take_values(std::vector<Segment> segments, int64_t total_weight) {
  PLAIT_ASSIGN(values_, ExactSum::create(std::move(segments), total_weight));
  all_.push_back(values_.get());
  return {};
}

Result<std::unique_ptr<RoundSums>> RoundSums::of_buffers(const Plan& plan, const std::vector<size_t>& buffers,
                                                         int64_t total_weight) {
  std::unique_ptr<RoundSums> sums(new RoundSums);
  std::vector<Segment> segments = value_segments(plan);
  for (size_t i = 0; i < segments.size(); ++i)
    if (std::ranges::count(buffers, i) == 0) segments[i].rule = ReduceRule::kNone;
  std::vector<VarianceSum::Pair> pairs = variance_pairs(plan);
  std::erase_if(pairs, [&](const VarianceSum::Pair& pair) {
    return std::ranges::none_of(
        buffers, [&](size_t number) { return plan.parameters()[number].offset == pair.variance; });
  });
  PLAIT_TRY(sums->take_variances(segments, std::move(pairs), total_weight));
  PLAIT_TRY(sums->take_values(std::move(segments), total_weight));
  return sums;
}

Result<std::unique_ptr<RoundSums>> RoundSums::create(const Plan& plan, const std::vector<SlotInfo>& averaged,
                                                     int64_t total_weight, Device* device) {
  std::unique_ptr<RoundSums> sums(new RoundSums);
  sums->trained_ = plan.trained_elements();
  std::vector<Segment> segments = value_segments(plan);
  PLAIT_TRY(sums->take_variances(segments, variance_pairs(plan), total_weight));
  if (device != nullptr && total_weight > 1 && DeviceSum::is_offered(*device)) {
    PLAIT_ASSIGN(sums->values_there_,
                 DeviceSum::create(*device, segments, plan.trained_elements(), total_weight));
    PLAIT_ASSIGN(sums->others_, take_others(segments, total_weight));
    if (sums->others_) sums->all_.push_back(sums->others_.get());
  }
  PLAIT_TRY(sums->take_values(std::move(segments), total_weight));
  for (const SlotInfo& slot : averaged) {
    sums->slots_.emplace_back();
    sums->slots_there_.emplace_back();
    if (!is_reduced(slot.reduce)) continue;
    std::vector<Segment> of_slot = slot_segments(plan, slot);
    if (sums->is_there() && slot.reduce != PLAIT_REDUCE_MAX) {
      PLAIT_ASSIGN(sums->slots_there_.back(), DeviceSum::create(*device, of_slot, 0, total_weight));
    }
    PLAIT_ASSIGN(sums->slots_.back(), ExactSum::create(std::move(of_slot), total_weight));
    sums->all_.push_back(sums->slots_.back().get());
  }
  return sums;
}

uint64_t RoundSums::bytes(const Plan& plan, const std::vector<SlotInfo>& averaged, int64_t total_weight) {
  uint64_t bytes = ExactSum::bytes(value_segments(plan), total_weight);
  for (const SlotInfo& slot : averaged) bytes += ExactSum::bytes(slot_segments(plan, slot), total_weight);
  return bytes;
}

Status RoundSums::begin() {
  for (ExactSum* sum : all_) sum->begin();
  if (variances_) variances_->begin();
  if (values_there_) PLAIT_TRY(values_there_->begin());
  for (const auto& there : slots_there_)
    if (there) PLAIT_TRY(there->begin());
  return {};
}

Status RoundSums::accumulate(std::span<const float> values, std::span<const float* const> slots,
                             int32_t weight) {
  PLAIT_TRY(values_->accumulate(values, weight));
  for (size_t s = 0; s < slots_.size(); ++s) {
    if (slots_[s]) PLAIT_TRY(slots_[s]->accumulate({slots[s], trained_}, weight));
  }
  return variances_ ? variances_->keep(values, weight) : Status();
}

Status RoundSums::accumulate(const ResultThere& result, int32_t weight) {
  PLAIT_TRY(values_there_->accumulate(result.trained, result.before, result.arena, weight));
  for (size_t s = 0; s < slots_there_.size(); ++s) {
    if (slots_there_[s])
      PLAIT_TRY(slots_there_[s]->accumulate(nullptr, nullptr, result.slots[s], weight));
    else if (slots_[s])
      PLAIT_TRY(slots_[s]->accumulate(result.slots_here[s].span(), weight));
  }
  if (others_) PLAIT_TRY(others_->accumulate(result.buffers, weight));
  return variances_ ? variances_->keep(result.buffers, weight) : Status();
}

// To where the ranks meet.
Status RoundSums::give_all(bool values) {
  if (values_there_) PLAIT_TRY(values_there_->give(*values_, values));
  for (size_t s = 0; s < slots_there_.size(); ++s)
    if (slots_there_[s]) PLAIT_TRY(slots_there_[s]->give(*slots_[s], values));
  return {};
}

Status RoundSums::reduce(Transport& transport) {
  is_alone_ = transport.size() == 1;
  PLAIT_TRY(give_all(!is_alone_));
  PLAIT_TRY(ExactSum::reduce(transport, all_));
  if (!variances_) return {};
  size_t end = 0;
  for (const Segment& segment : values_->segments()) end = std::max(end, segment.offset + segment.count);
  std::vector<float> means(end);
  PLAIT_TRY(mean_of_means(means));
  return variances_->reduce(transport, means);
}

Status RoundSums::mean_of_means(std::span<float> out) const {
  if (values_there_ && is_alone_) return values_there_->mean(out);
  values_->mean(out);
  return {};
}

Status RoundSums::mean(std::span<float> out) const {
  PLAIT_TRY(mean_of_means(out));
  if (others_) others_->mean(out);
  if (variances_) variances_->write(out);
  return {};
}

Status RoundSums::mean_slots(std::vector<HostArena>& slots) const {
  for (size_t s = 0; s < slots_.size(); ++s) {
    if (!slots_[s]) continue;
    if (slots_there_[s] && is_alone_)
      PLAIT_TRY(slots_there_[s]->mean(slots[s].span()));
    else
      slots_[s]->mean(slots[s].span());
  }
  return {};
}

}  // namespace plait::inline train
