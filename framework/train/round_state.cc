#include "train/round_state.h"

#include <algorithm>

namespace plait {
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
  std::vector<std::vector<float>> plain;
  for (const ParameterInfo& parameter : plan.network().parameters) {
    plain.emplace_back(parameter.elements);
    PLAIT_TRY(initial_values(parameter, seed, plain.back().data()));
  }
  RoundState state;
  state.weights = HostArena(plan.arena_elements());
  PLAIT_TRY(plan.pack(plain, state.weights.data()));
  state.slots = initial_slots(optimizer, plan.trained_elements());
  if (outer) state.outer_slots = initial_slots(*outer, plan.trained_elements());
  return state;
}

Result<std::vector<std::vector<float>>> plain_weights(const Plan& plan, const HostArena& weights) {
  std::vector<std::vector<float>> plain;
  for (const ParameterInfo& parameter : plan.network().parameters) plain.emplace_back(parameter.elements);
  PLAIT_TRY(plan.unpack(weights.data(), plain));
  return plain;
}

Result<std::vector<std::vector<float>>> plain_slot(const Plan& plan, const HostArena& slot) {
  HostArena whole(plan.arena_elements());
  std::copy_n(slot.data(), slot.size(), whole.data());
  PLAIT_ASSIGN(auto plain, plain_weights(plan, whole));
  for (size_t i = 0; i < plain.size(); ++i)
    if (!plan.parameters()[i].trained) plain[i].clear();
  return plain;
}

Status store_slot(const Plan& plan, const std::vector<std::vector<float>>& plain, HostArena& slot) {
  std::vector<std::vector<float>> whole = plain;
  for (size_t i = 0; i < whole.size(); ++i) whole[i].resize(plan.network().parameters[i].elements);
  HostArena arena(plan.arena_elements());
  PLAIT_TRY(plan.pack(whole, arena.data()));
  std::copy_n(arena.data(), slot.size(), slot.data());
  return {};
}

}  // namespace plait
