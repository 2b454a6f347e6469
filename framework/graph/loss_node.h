// Node of a loss: its value, and its contribution to the gradient of the prediction.
#pragma once
#include "graph/node.h"
#include "graph/replica_memory.h"
#include "plan/plan.h"

namespace plait {

class LossNode final : public Node {
 public:
  LossNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, size_t head);
  bool repeats() const override { return loss_.repeats; }

 private:
  int call(const StepKey& key) override;
  const LossStep& loss_;
  const plait_tensor& prediction_;
  plait_tensor gradient_;
  plait_loss_call call_{};
};

// "softmax_cross_entropy \"loss\" (lenet.txtpb:30:3)"
std::string loss_place(const HeadInfo& head);

}  // namespace plait
