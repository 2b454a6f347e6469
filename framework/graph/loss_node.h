// Node of a loss: its value, and its contributions to the gradients of the predictions.
#pragma once
#include <vector>

#include "graph/node.h"
#include "graph/replica_memory.h"
#include "plan/plan.h"

namespace plait::inline graph {

class LossNode final : public Node {
 public:
  LossNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, size_t head);
  bool repeats() const override { return loss_.repeats; }

 private:
  int call(const StepKey& key) override;
  const LossStep& loss_;
  std::vector<const plait_tensor*> predictions_, targets_, gradient_pointers_;
  std::vector<plait_tensor> gradients_;  // of each prediction
  // One number a sample, [N], whatever the part's shape is.
  const plait_tensor* weights_part_ = nullptr;
  plait_tensor weights_{};
  plait_loss_call call_{};
};

// "softmax_cross_entropy \"loss\" (lenet.txtpb:30:3)"
std::string loss_place(const HeadInfo& head);

}  // namespace plait::inline graph
