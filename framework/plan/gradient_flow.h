// Which tensors need a gradient, and who contributes to it.
#pragma once
#include <vector>

#include "plan/network.h"

namespace plait::inline plan {

struct GradientFlow {
  std::vector<bool> node_backward;  // per node: backward runs
  std::vector<bool>
      tensor_needed;  // per tensor: its gradient is needed (by the backward of the node that writes it)
};

// Nodes that can reach a loss and have something to train in or before them. Absorbed nodes have no backward.
GradientFlow gradient_flow(const Network& network);

}  // namespace plait::inline plan
