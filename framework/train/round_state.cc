#include "train/round_state.h"

#include <algorithm>

#include "plan/wanted_values.h"

namespace plait::inline train {
namespace {

std::vector<HostArena> initial_slots(const OptimizerInstance& optimizer, uint64_t elements) {
  std::vector<HostArena> slots;
  for (const SlotInfo& slot : optimizer.slots())
    slots.emplace_back(elements, static_cast<float>(slot.initial));
  return slots;
}

}  // namespace

Result<RoundState> initial_state(const Plan& plan, uint64_t seed, const OptimizerInstance& optimizer,
                                 const OptimizerInstance* outer) {
  RoundState state;
  state.weights = HostArena(plan.arena_elements());
  std::vector<float> plain;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterInfo& parameter = plan.network().parameters[i];
    plain.resize(parameter.elements);
    PLAIT_TRY(initial_values(parameter, seed, plain.data()));
    if (const std::string bad = unwanted_value(parameter, plain); !bad.empty())
      return Status(Code::kNumeric, parameter.name + ": begins with \"" + parameter.init + "\": " + bad);
    PLAIT_TRY(plan.pack(i, plain.data(), state.weights.data()));
  }
  state.slots = initial_slots(optimizer, plan.trained_elements());
  if (outer) state.outer_slots = initial_slots(*outer, plan.trained_elements());
  return state;
}

Result<std::vector<std::vector<float>>> initial_reducer_states(const GatheredLayout& layout,
                                                               const std::vector<SlotInfo>& states) {
  std::vector<std::vector<float>> made;
  for (const SlotInfo& state : states) {
    made.emplace_back(layout.count(), static_cast<float>(state.initial));
    PLAIT_TRY(layout.clear_padding(made.back()));
  }
  return made;
}

Result<std::vector<std::vector<float>>> plain_weights(const Plan& plan, const HostArena& weights) {
  std::vector<std::vector<float>> plain;
  for (const ParameterInfo& parameter : plan.network().parameters) plain.emplace_back(parameter.elements);
  PLAIT_TRY(plan.unpack(weights.data(), plain));
  return plain;
}

Status store_slot(const Plan& plan, const std::vector<std::vector<float>>& plain, HostArena& slot) {
  for (size_t i = 0; i < plain.size(); ++i)
    if (plan.parameters()[i].trained) PLAIT_TRY(plan.pack(i, plain[i].data(), slot.data()));
  return {};
}

}  // namespace plait::inline train
