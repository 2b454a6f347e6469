// Nodes of the optimizer: the update of some parameters, and the look at all gradients before the first
// update.
#pragma once
#include <vector>

#include "graph/node.h"
#include "graph/optimizer.h"
#include "graph/replica_memory.h"
#include "plan/plan.h"

namespace plait {

// A run of elements of the arena that one call of the optimizer updates. Units: elements.
struct UpdateRange {
  uint64_t begin = 0, count = 0;
  uint32_t flags = 0;  // PLAIT_PARAMETER_*
  double rate_multiplier = 1;
};

// The ranges of these parameters (numbers in Network::parameters), in the order of the arena. With `join`,
// neighbours of equal flags and rate_multiplier become one range, padding between them included.
std::vector<UpdateRange> update_ranges(const Plan& plan, std::vector<int> parameters, bool join);

// The calls of an optimizer for ranges of the arena. Does not move.
class OptimizerCalls {
 public:
  OptimizerCalls(const OptimizerInstance& optimizer, const ReplicaMemory& memory,
                 const std::vector<UpdateRange>& ranges);
  OptimizerCalls(const OptimizerCalls&) = delete;
  OptimizerCalls& operator=(const OptimizerCalls&) = delete;
  // For this step: the runtime values with each range's rate_multiplier, and what was observed.
  const std::vector<plait_optimizer_call>& at(const StepKey& key, double observed);

 private:
  const OptimizerInstance& optimizer_;
  std::vector<UpdateRange> ranges_;
  std::vector<std::vector<float*>> slots_;
  std::vector<std::vector<double>> runtime_;
  std::vector<plait_optimizer_call> calls_;
};

class UpdateNode final : public Node {
 public:
  // `observed` is written by an ObserveNode, or null.
  UpdateNode(const NodeSetup& setup, const OptimizerInstance& optimizer, const ReplicaMemory& memory,
             const std::vector<UpdateRange>& ranges, const double* observed, std::string place,
             std::string name);

 private:
  int call(const StepKey& key) override;
  const OptimizerInstance& optimizer_;
  const double* observed_;
  OptimizerCalls calls_;
};

class ObserveNode final : public Node {
 public:
  ObserveNode(const NodeSetup& setup, const OptimizerInstance& optimizer, const ReplicaMemory& memory,
              const std::vector<UpdateRange>& ranges, double* observed);

 private:
  int call(const StepKey& key) override;
  const OptimizerInstance& optimizer_;
  double* observed_;
  OptimizerCalls calls_;
};

}  // namespace plait
