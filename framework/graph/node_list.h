// All nodes of a replica, in an order in which one thread could run them.
#pragma once
#include <memory>
#include <vector>

#include "graph/node.h"
#include "graph/optimizer.h"
#include "graph/replica_memory.h"
#include "plan/plan.h"

namespace plait::inline graph {

struct NodeList {
  // Forward steps, losses, then backward steps from the last to the first, each followed by the update of the
  // parameters whose gradients are now complete (with needs_all_gradients: updates after all, in the same
  // order).
  std::vector<Node*> order;
  // Of every layer that has one; those whose parameters are updated are in order too.
  std::vector<Node*> prepare;
  // Of an optimizer that wants a second gradient, whose updates are not in order: what makes the weights
  // for it from the first, and what updates with it. Each in turn.
  std::vector<Node*> move, second;
  std::vector<Node*> apart;  // updates that are not in order, but called for
  std::vector<std::unique_ptr<Node>> owned;
  double observed = 0;
  double loss = 0;  // of the first gradient, to be set before move; of all batches, before apart
  // All that run in a step, in that order.
  std::vector<Node*> all() const;
};

// `optimizer` may be null: no updates. `updates_apart`: those of the last gradients are in `apart`.
// Fails with: what the device reports when memory for shared parameters' gradients is refused.
Result<std::unique_ptr<NodeList>> make_nodes(const Plan& plan, ReplicaMemory& memory,
                                             const OptimizerInstance* optimizer, const NodeSetup& setup,
                                             bool updates_apart = false);

}  // namespace plait::inline graph
