#include <algorithm>

#include "base/sha256.h"
#include "plan/layer_order.h"
#include "plan/plan.h"

namespace plait::inline plan {

Status Plan::pack(size_t parameter, const float* plain, float* arena) const {
  return pack_at(parameter, plain, arena + parameters_[parameter].offset);
}

Status Plan::unpack(size_t parameter, const float* arena, float* plain) const {
  return unpack_at(parameter, arena + parameters_[parameter].offset, plain);
}

Status Plan::pack_at(size_t parameter, const float* plain, float* stored) const {
  const ParameterPlace& place = parameters_[parameter];
  const ParameterInfo& info = network_.parameters[parameter];
  if (place.step < 0) {
    std::copy_n(plain, info.elements, stored);
    return {};
  }
  CallContext context(options_.lanes, options_.parallel_for);
  context.set_device(options_.device_ops, options_.device, nullptr);
  const LayerInstance& layer = steps_[static_cast<size_t>(place.step)].instance;
  return context
      .status(
          layer.ops().pack(layer.self(), context.raw(), static_cast<uint32_t>(place.index), plain, stored))
      .at(info.name);
}

Status Plan::unpack_at(size_t parameter, const float* stored, float* plain) const {
  const ParameterPlace& place = parameters_[parameter];
  const ParameterInfo& info = network_.parameters[parameter];
  if (place.step < 0) {
    std::copy_n(stored, info.elements, plain);
    return {};
  }
  CallContext context(options_.lanes, options_.parallel_for);
  context.set_device(options_.device_ops, options_.device, nullptr);
  const LayerInstance& layer = steps_[static_cast<size_t>(place.step)].instance;
  return context
      .status(
          layer.ops().unpack(layer.self(), context.raw(), static_cast<uint32_t>(place.index), stored, plain))
      .at(info.name);
}

Status Plan::pack(const std::vector<std::vector<float>>& plain, float* arena) const {
  std::fill_n(arena, arena_elements_, 0.0f);
  for (size_t i = 0; i < parameters_.size(); ++i) PLAIT_TRY(pack(i, plain[i].data(), arena));
  return {};
}

Status Plan::unpack(const float* arena, std::vector<std::vector<float>>& plain) const {
  plain.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    plain[i].resize(network_.parameters[i].elements);
    PLAIT_TRY(unpack(i, arena, plain[i].data()));
  }
  return {};
}

std::string Plan::digest() const {
  std::string text =
      network_.name + "\nlanes " + std::to_string(options_.lanes) + " device " + options_.device_id;
  for (const Step& step : steps_) {
    const NodeInfo& node = network_.nodes[static_cast<size_t>(step.node)];
    text += "\nstep " + node.layer->name + " " + (node.converts ? "converts" : node.layer->plugin.id()) +
            (step.backward ? " trains" : "");
    for (const Epilogue& epilogue : node.epilogues) text += " + " + epilogue.name;
    for (int output : step.outputs)
      text += " " + shape_text(network_.tensors[static_cast<size_t>(output)].spec);
  }
  for (size_t i = 0; i < parameters_.size(); ++i)
    text += "\nparameter " + network_.parameters[i].name + " " + shape_text(network_.parameters[i].shape) +
            " " + std::to_string(parameters_[i].offset) + " " + std::to_string(parameters_[i].stored);
  return Sha256::hex_of(text);
}

}  // namespace plait::inline plan
