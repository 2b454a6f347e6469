#include "plan/gradient_flow.h"

namespace plait::inline plan {
namespace {

bool trains_something(const Network& network, const NodeInfo& node) {
  for (int number : node.parameters)
    if (!network.parameters[static_cast<size_t>(number)].frozen) return true;
  return false;
}

// Nodes with something to train in them or before them.
std::vector<bool> nodes_that_learn(const Network& network) {
  std::vector<bool> learns(network.nodes.size(), false);
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const NodeInfo& node = network.nodes[i];
    if (node.absorbed_by >= 0) continue;
    learns[i] = trains_something(network, node) && !node.frozen;
    for (int input : node.inputs) {
      const int producer = network.tensors[static_cast<size_t>(input)].node;
      if (producer >= 0 && learns[static_cast<size_t>(producer)]) learns[i] = true;
    }
  }
  return learns;
}

// Nodes whose output a loss depends on.
std::vector<bool> nodes_that_matter(const Network& network) {
  std::vector<bool> matters(network.nodes.size(), false);
  auto mark = [&](int tensor) {
    const int producer = network.tensors[static_cast<size_t>(tensor)].node;
    if (producer >= 0) matters[static_cast<size_t>(producer)] = true;
  };
  for (const HeadInfo& loss : network.losses)
    for (const int input : loss.inputs) mark(input);
  for (size_t i = network.nodes.size(); i-- > 0;)
    if (matters[i])
      for (int input : network.nodes[i].inputs) mark(input);
  return matters;
}

}  // namespace

GradientFlow gradient_flow(const Network& network) {
  const std::vector<bool> learns = nodes_that_learn(network), matters = nodes_that_matter(network);
  GradientFlow flow;
  flow.node_backward.resize(network.nodes.size());
  for (size_t i = 0; i < network.nodes.size(); ++i)
    flow.node_backward[i] = learns[i] && matters[i] && network.nodes[i].absorbed_by < 0;
  flow.tensor_needed.resize(network.tensors.size());
  for (size_t i = 0; i < network.tensors.size(); ++i) {
    const int producer = network.tensors[i].node;
    flow.tensor_needed[i] = producer >= 0 && flow.node_backward[static_cast<size_t>(producer)];
  }
  return flow;
}

}  // namespace plait::inline plan
