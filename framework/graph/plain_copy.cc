#include "graph/plain_copy.h"

#include <algorithm>

namespace plait::inline graph {
namespace {

const LayerInstance& layer_of(const Plan& plan, const ParameterPlace& place) {
  return plan.steps()[static_cast<size_t>(place.step)].instance;
}

uint64_t elements_of(const Plan& plan, int parameter) {
  return plan.network().parameters[static_cast<size_t>(parameter)].elements;
}

}  // namespace

PlainCopy::PlainCopy(const Plan& plan, const std::vector<int>& parameters, size_t slots) : plan_(plan) {
  uint64_t most = 0;
  for (const int parameter : parameters)
    if (is_needed(plan, parameter)) most = std::max(most, elements_of(plan, parameter));
  weights_.resize(most);
  gradients_.resize(most);
  slots_.assign(slots, std::vector<float>(most));
  for (std::vector<float>& slot : slots_) pointers_.push_back(slot.data());
}

uint64_t PlainCopy::bytes(const Plan& plan, size_t parameter, size_t slots) {
  if (!plan.parameters()[parameter].trained || plan.parameters()[parameter].step < 0) return 0;
  return plan.network().parameters[parameter].elements * sizeof(float) * (2 + slots);
}

int PlainCopy::take(CallContext& context, int parameter, plait_optimizer_call& call) {
  const ParameterPlace& place = plan_.parameters()[static_cast<size_t>(parameter)];
  const LayerInstance& layer = layer_of(plan_, place);
  const auto unpack = [&](const float* from, float* to) {
    return layer.ops().unpack(layer.self(), context.raw(), static_cast<uint32_t>(place.index), from, to);
  };
  if (unpack(call.weights, weights_.data()) != PLAIT_OK) return PLAIT_FAILED;
  if (unpack(call.gradients, gradients_.data()) != PLAIT_OK) return PLAIT_FAILED;
  for (size_t s = 0; s < slots_.size(); ++s)
    if (unpack(call.slots[s], pointers_[s]) != PLAIT_OK) return PLAIT_FAILED;
  call.weights = weights_.data();
  call.gradients = gradients_.data();
  call.slots = pointers_.data();
  call.count = elements_of(plan_, parameter);
  call.is_plain = 1;
  return PLAIT_OK;
}

int PlainCopy::put_back(CallContext& context, int parameter, const plait_optimizer_call& stored) const {
  const ParameterPlace& place = plan_.parameters()[static_cast<size_t>(parameter)];
  const LayerInstance& layer = layer_of(plan_, place);
  const auto pack = [&](const float* from, float* to) {
    return layer.ops().pack(layer.self(), context.raw(), static_cast<uint32_t>(place.index), from, to);
  };
  if (pack(weights_.data(), stored.weights) != PLAIT_OK) return PLAIT_FAILED;
  for (size_t s = 0; s < slots_.size(); ++s)
    if (pack(pointers_[s], stored.slots[s]) != PLAIT_OK) return PLAIT_FAILED;
  return PLAIT_OK;
}

}  // namespace plait::inline graph
