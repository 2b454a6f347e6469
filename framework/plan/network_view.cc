#include "plan/network_view.h"

namespace plait::inline plan {
namespace {

// "a", "a:1", or the part that an open input has come to.
std::string input_name(const Network& network, const NodeInfo& node, size_t i) {
  const InputRef& ref = node.layer->inputs[i];
  if (ref.layer.empty()) return network.tensors[static_cast<size_t>(node.inputs[i])].name;
  return ref.output == 0 ? ref.layer : ref.layer + ":" + std::to_string(ref.output);
}

}  // namespace

PretrainRequest::PretrainRequest(const Network& network, uint32_t stage, int64_t steps_per_epoch) {
  for (const NodeInfo& node : network.nodes)
    if (!node.converts) add(network, node);
  for (const plait_network_layer& layer : layers_) pointers_.push_back(&layer);
  raw_.struct_size = sizeof raw_;
  raw_.n_layers = static_cast<uint32_t>(pointers_.size());
  raw_.layers = pointers_.data();
  raw_.stage = stage;
  raw_.steps_per_epoch = steps_per_epoch;
}

void PretrainRequest::add(const Network& network, const NodeInfo& node) {
  const auto spec_of = [&](int tensor) {
    return &specs_.emplace_back(network.tensors[static_cast<size_t>(tensor)].spec.raw());
  };
  plait_network_layer& layer = layers_.emplace_back();
  layer.struct_size = sizeof layer;
  if (node.frozen) layer.flags |= PLAIT_NETWORK_FROZEN;
  if (!node.layer->shares.empty()) layer.flags |= PLAIT_NETWORK_SHARES;
  if (node.is_activation) layer.flags |= PLAIT_NETWORK_ACTIVATION;
  layer.n_parameters = static_cast<uint32_t>(node.parameters.size());
  layer.n_buffers = static_cast<uint32_t>(node.buffers.size());
  layer.name = node.layer->name.c_str();
  layer.type_id = node.layer->plugin.entry->type->id;
  if (!node.inputs.empty()) layer.input = spec_of(node.inputs.front());
  if (!node.outputs.empty()) layer.output = spec_of(node.outputs.front());
  std::vector<const char*>& inputs = inputs_.emplace_back();
  for (size_t i = 0; i < node.layer->inputs.size(); ++i)
    inputs.push_back(names_.emplace_back(input_name(network, node, i)).c_str());
  layer.n_inputs = static_cast<uint32_t>(inputs.size());
  layer.inputs = inputs.data();
  if (!node.mirror.empty()) layer.mirror = mirrors_.emplace_back(node.mirror.front()).raw();
}

Job with_inputs_named(Job job, const Network& network) {
  for (const NodeInfo& node : network.nodes) {
    for (LayerSpec& layer : job.layers) {
      if (layer.name != node.layer->name || node.converts) continue;
      for (size_t i = 0; i < layer.inputs.size(); ++i) {
        if (layer.inputs[i].layer.empty()) layer.inputs[i].layer = input_name(network, node, i);
      }
    }
  }
  return job;
}

}  // namespace plait::inline plan
