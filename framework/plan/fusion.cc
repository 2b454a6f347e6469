#include "plan/fusion.h"

#include <algorithm>

namespace plait::inline plan {
namespace {

size_t readers(const Network& network, int tensor) {
  size_t count = 0;
  for (const NodeInfo& node : network.nodes)
    count += static_cast<size_t>(std::ranges::count(node.inputs, tensor));
  for (const auto* heads : {&network.losses, &network.metrics})
    for (const HeadInfo& head : *heads)
      count += static_cast<size_t>(std::ranges::count(head.reads(), tensor));
  return count;
}

bool accepts(const NodeInfo& producer, const Epilogue& epilogue, bool functions) {
  const auto says = [&](const std::string& name) { return std::ranges::count(producer.accepts, name) > 0; };
  return says(epilogue.name) || (functions && epilogue.functions && says(PLAIT_EPILOGUE_FUNCTIONS));
}

// What absorbs writes the type that it would have written.
bool same_type(const Network& network, const NodeInfo& node) {
  const auto dtype = [&](int tensor) { return network.tensors[static_cast<size_t>(tensor)].spec.dtype; };
  return dtype(node.inputs.front()) == dtype(node.outputs.front());
}

bool can_absorb(const Network& network, const NodeInfo& node, const NodeInfo& producer, bool functions) {
  return producer.absorbed_by < 0 && producer.epilogues.empty() && producer.outputs.size() == 1 &&
         accepts(producer, node.is_epilogue.front(), functions) &&
         readers(network, node.inputs.front()) == 1 && same_type(network, node);
}

}  // namespace

void absorb_epilogues(Network& network, bool functions) {
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    NodeInfo& node = network.nodes[i];
    if (node.is_epilogue.empty() || node.inputs.size() != 1 || node.outputs.size() != 1) continue;
    TensorInfo& between = network.tensors[static_cast<size_t>(node.inputs.front())];
    if (between.node < 0) continue;
    NodeInfo& producer = network.nodes[static_cast<size_t>(between.node)];
    if (!can_absorb(network, node, producer, functions)) continue;
    producer.epilogues.push_back(node.is_epilogue.front());
    producer.outputs = node.outputs;
    node.absorbed_by = between.node;
    network.tensors[static_cast<size_t>(node.outputs.front())].node = between.node;
    between.node = -1;
  }
}

}  // namespace plait::inline plan
