#include <algorithm>

#include "base/sha256.h"
#include "plan/layer_order.h"
#include "plan/plan.h"

namespace plait {

Status Plan::pack(const std::vector<std::vector<float>>& plain, float* arena) const {
  std::fill_n(arena, arena_elements_, 0.0f);
  CallContext context(options_.lanes, options_.parallel_for);
  context.set_device(options_.device, nullptr);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const ParameterPlace& place = parameters_[i];
    if (place.step < 0) {
      std::ranges::copy(plain[i], arena + place.offset);
      continue;
    }
    const LayerInstance& layer = steps_[static_cast<size_t>(place.step)].instance;
    PLAIT_TRY(context
                  .status(layer.ops().pack(layer.self(), context.raw(), static_cast<uint32_t>(place.index),
                                           plain[i].data(), arena + place.offset))
                  .at(network_.parameters[i].name));
  }
  return {};
}

Status Plan::unpack(const float* arena, std::vector<std::vector<float>>& plain) const {
  plain.resize(parameters_.size());
  CallContext context(options_.lanes, options_.parallel_for);
  context.set_device(options_.device, nullptr);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const ParameterPlace& place = parameters_[i];
    plain[i].resize(network_.parameters[i].elements);
    if (place.step < 0) {
      std::copy_n(arena + place.offset, plain[i].size(), plain[i].begin());
      continue;
    }
    const LayerInstance& layer = steps_[static_cast<size_t>(place.step)].instance;
    PLAIT_TRY(context
                  .status(layer.ops().unpack(layer.self(), context.raw(), static_cast<uint32_t>(place.index),
                                             arena + place.offset, plain[i].data()))
                  .at(network_.parameters[i].name));
  }
  return {};
}

std::string Plan::digest() const {
  std::string text =
      network_.name + "\nlanes " + std::to_string(options_.lanes) + " device " + options_.device_id;
  for (const Step& step : steps_) {
    const NodeInfo& node = network_.nodes[static_cast<size_t>(step.node)];
    text += "\nstep " + node.layer->name + " " + node.layer->plugin.id() + (step.backward ? " trains" : "");
    for (const Epilogue& epilogue : node.epilogues) text += " + " + epilogue.name;
    for (int output : step.outputs)
      text += " " + shape_text(network_.tensors[static_cast<size_t>(output)].spec);
  }
  for (size_t i = 0; i < parameters_.size(); ++i)
    text += "\nparameter " + network_.parameters[i].name + " " + shape_text(network_.parameters[i].shape) +
            " " + std::to_string(parameters_[i].offset) + " " + std::to_string(parameters_[i].stored);
  return Sha256::hex_of(text);
}

}  // namespace plait
