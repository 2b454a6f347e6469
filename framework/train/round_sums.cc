#include "train/round_sums.h"

namespace plait {
namespace {

ReduceRule rule_of(uint32_t declared) {
  switch (declared) {
    case PLAIT_REDUCE_MEAN32:
      return ReduceRule::kMean32;
    case PLAIT_REDUCE_MEAN64:
      return ReduceRule::kMean64;
    case PLAIT_REDUCE_MAX:
      return ReduceRule::kMax;
    default:
      return ReduceRule::kNone;
  }
}

// A trained parameter is averaged whatever it declares, by 32 bits unless it asks for 64.
ReduceRule rule_of(const ParameterInfo& info, const ParameterPlace& place) {
  if (place.trained) return info.reduce == PLAIT_REDUCE_MEAN64 ? ReduceRule::kMean64 : ReduceRule::kMean32;
  return info.buffer ? rule_of(info.reduce) : ReduceRule::kNone;
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

}  // namespace

std::vector<Segment> value_segments(const Plan& plan) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterPlace& place = plan.parameters()[i];
    const ParameterInfo& info = plan.network().parameters[i];
    segments.push_back({info.name, place.offset, place.stored, rule_of(info, place)});
  }
  return segments;
}

Result<std::unique_ptr<RoundSums>> RoundSums::create(const Plan& plan, const std::vector<SlotInfo>& averaged,
                                                     int64_t total_weight) {
  std::unique_ptr<RoundSums> sums(new RoundSums);
  sums->trained_ = plan.trained_elements();
  PLAIT_ASSIGN(sums->values_, ExactSum::create(value_segments(plan), total_weight));
  sums->all_.push_back(sums->values_.get());
  for (const SlotInfo& slot : averaged) {
    sums->slots_.emplace_back();
    if (rule_of(slot.reduce) == ReduceRule::kNone) continue;
    PLAIT_ASSIGN(sums->slots_.back(), ExactSum::create(slot_segments(plan, slot), total_weight));
    sums->all_.push_back(sums->slots_.back().get());
  }
  return sums;
}

void RoundSums::begin() {
  for (ExactSum* sum : all_) sum->begin();
}

Status RoundSums::accumulate(std::span<const float> values, std::span<const float* const> slots,
                             int32_t weight) {
  PLAIT_TRY(values_->accumulate(values, weight));
  for (size_t s = 0; s < slots_.size(); ++s) {
    if (slots_[s]) PLAIT_TRY(slots_[s]->accumulate({slots[s], trained_}, weight));
  }
  return {};
}

Result<ExactSum::Outcome> RoundSums::reduce(Transport& transport) {
  return all_.size() == 1 ? values_->reduce(transport) : ExactSum::reduce(transport, all_);
}

void RoundSums::mean_slots(std::vector<HostArena>& slots) const {
  for (size_t s = 0; s < slots_.size(); ++s)
    if (slots_[s]) slots_[s]->mean(slots[s].span());
}

void RoundSums::save(std::vector<int32_t>& exponents) const {
  exponents.clear();
  for (const ExactSum* sum : all_)
    exponents.insert(exponents.end(), sum->exponents().begin(), sum->exponents().end());
}

Status RoundSums::restore(std::span<const int32_t> exponents) {
  size_t wanted = 0;
  for (const ExactSum* sum : all_) wanted += sum->exponents().size();
  if (exponents.size() != wanted) {
    return {Code::kCorrupt,
            std::to_string(exponents.size()) + " exponents of exact sums, wanted " + std::to_string(wanted)};
  }
  for (ExactSum* sum : all_) {
    PLAIT_TRY(sum->restore(exponents.first(sum->exponents().size())));
    exponents = exponents.subspan(sum->exponents().size());
  }
  return {};
}

}  // namespace plait
