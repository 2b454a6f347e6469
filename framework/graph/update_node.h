// Nodes of the optimizer: the update of some parameters, the look at all gradients before the first update,
// and the move to weights at which a second gradient is wanted.
#pragma once
#include <string>
#include <vector>

#include "graph/node.h"
#include "graph/optimizer_calls.h"

namespace plait::inline graph {

// What optimizer nodes of a replica share.
struct UpdateSetup {
  NodeSetup node;
  const OptimizerInstance* optimizer = nullptr;
  const Plan* plan = nullptr;
  ReplicaMemory* memory = nullptr;
  double* observed = nullptr;    // written by an ObserveNode; null: it has none
  const double* loss = nullptr;  // of the first gradient; null: the memory's
  bool is_second = false;        // the gradients are those at the weights that were moved
};

class UpdateNode final : public Node {
 public:
  UpdateNode(const UpdateSetup& setup, const std::vector<UpdateRange>& ranges, std::string place,
             std::string name);
  bool updates() const override { return true; }

 private:
  int call(const StepKey& key) override;
  const UpdateSetup setup_;
  OptimizerCalls calls_;
};

class ObserveNode final : public Node {
 public:
  ObserveNode(const UpdateSetup& setup, const std::vector<UpdateRange>& ranges);
  bool updates() const override { return true; }

 private:
  int call(const StepKey& key) override;
  const UpdateSetup setup_;
  OptimizerCalls calls_;
};

class MoveNode final : public Node {
 public:
  MoveNode(const UpdateSetup& setup, const std::vector<UpdateRange>& ranges);

 private:
  int call(const StepKey& key) override;
  const UpdateSetup setup_;
  OptimizerCalls calls_;
};

// Brings the losses of a device whose memory the host does not reach, for the optimizer to see: waits for the
// device.
class FetchLossNode final : public Node {
 public:
  FetchLossNode(const NodeSetup& setup, ReplicaMemory& memory);
  bool updates() const override { return true; }

 private:
  int call(const StepKey& key) override;
  Stream& stream_;
  ReplicaMemory& memory_;
};

}  // namespace plait::inline graph
