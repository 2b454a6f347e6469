#include "train/round_state.h"

#include <algorithm>

namespace plait {
namespace {

std::vector<HostArena> initial_slots(const OptimizerInstance& optimizer, uint64_t elements) {
  std::vector<HostArena> slots;
  for (const SlotInfo& slot : optimizer.slots()) slots.emplace_back(elements, static_cast<float>(slot.initial));
  return slots;
}

// Calls of one update, parameter by parameter.
class Update {
 public:
  Update(const OptimizerInstance& optimizer, const Plan& plan, int64_t step, std::span<const double> runtime,
         const float* gradients, HostArena& weights, std::vector<HostArena>& slots)
      : optimizer_(optimizer),
        plan_(plan),
        runtime_(runtime),
        scaled_(runtime.begin(), runtime.end()),
        gradients_(gradients),
        weights_(weights),
        slots_(slots),
        slot_places_(slots.size()) {
    call_.struct_size = sizeof call_;
    call_.step = step;
    call_.slots = slot_places_.data();
    call_.runtime = scaled_.data();
  }

  Status run() {
    double observed = 0;
    if (optimizer_.needs_all_gradients()) {
      PLAIT_TRY(each([&] { return optimizer_.observe(context_, call_, &observed); }));
    }
    call_.observed = observed;
    return each([&] { return optimizer_.step(context_, call_); });
  }

 private:
  template <class Function>
  Status each(Function&& function) {
    for (size_t i = 0; i < plan_.parameters().size(); ++i) {
      if (!plan_.parameters()[i].trained) continue;
      aim(i);
      PLAIT_TRY(context_.status(function()).at("update of " + plan_.network().parameters[i].name));
    }
    return {};
  }

  void aim(size_t i) {
    const ParameterPlace& place = plan_.parameters()[i];
    const ParameterInfo& info = plan_.network().parameters[i];
    call_.flags = info.flags;
    call_.count = place.stored;
    call_.weights = weights_.data() + place.offset;
    call_.gradients = gradients_ + place.offset;
    for (size_t s = 0; s < slots_.size(); ++s) slot_places_[s] = slots_[s].data() + place.offset;
    const int rate = optimizer_.rate_field();
    if (rate >= 0) scaled_[static_cast<size_t>(rate)] = runtime_[static_cast<size_t>(rate)] * info.rate_multiplier;
  }

  const OptimizerInstance& optimizer_;
  const Plan& plan_;
  std::span<const double> runtime_;
  std::vector<double> scaled_;
  const float* gradients_;
  HostArena& weights_;
  std::vector<HostArena>& slots_;
  std::vector<float*> slot_places_;
  plait_optimizer_call call_{};
  CallContext context_;
};

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

Status apply_update(const OptimizerInstance& optimizer, const Plan& plan, int64_t step, std::span<const double> runtime,
                    const float* gradients, HostArena& weights, std::vector<HostArena>& slots) {
  return Update(optimizer, plan, step, runtime, gradients, weights, slots).run();
}

}  // namespace plait
