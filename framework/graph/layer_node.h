// Nodes of a layer's step: forward, backward, prepare.
#pragma once
#include <vector>

#include "graph/node.h"
#include "graph/replica_memory.h"
#include "plan/plan.h"

namespace plait::inline graph {

// The plait_layer_call of a step and the arrays that it points to. Does not move.
class LayerCall {
 public:
  LayerCall(const Plan& plan, const ReplicaMemory& memory, const Step& step);
  LayerCall(const LayerCall&) = delete;
  LayerCall& operator=(const LayerCall&) = delete;
  // With gradients; `parameter_gradients` is per parameter of the step, null where not needed.
  void add_gradients(const std::vector<float*>& parameter_gradients);
  const std::vector<const plait_tensor*>& outputs() const { return outputs_; }
  const std::vector<const plait_tensor*>& output_gradients() const { return output_gradients_; }
  // The call for this step of the training.
  const plait_layer_call* at(const StepKey& key);

 private:
  const Plan& plan_;
  const ReplicaMemory& memory_;
  const Step& step_;
  std::vector<const plait_tensor*> inputs_, outputs_, output_gradients_, input_gradients_;
  std::vector<plait_tensor> contributions_;
  std::vector<float*> parameters_, parameter_gradients_, buffers_;
  plait_layer_call call_{};
  uint64_t seed_ = 0;
};

class ForwardNode final : public Node {
 public:
  ForwardNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, const Step& step);
  bool repeats() const override { return step_.repeats; }

 private:
  int call(const StepKey& key) override;
  const Step& step_;
  LayerCall call_;
};

// Where a parameter's gradient goes: the first user of a shared parameter writes to the arena; a further one
// writes to memory of its own, which is then added.
struct ParameterGradient {
  float* write = nullptr;   // null: not needed
  float* add_to = nullptr;  // null: nothing to add
  uint64_t place = 0;       // in the arena, elements
  uint64_t count = 0;
  uint64_t extra = 0;  // where `write` lies among the further users' memory, elements
};

// Adds up the contributions to the gradients of its outputs, in their order, before it reads them.
class BackwardNode final : public Node {
 public:
  BackwardNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, const Step& step,
               std::vector<ParameterGradient> gradients);
  bool repeats() const override { return step_.repeats; }

 private:
  struct Sum {
    void* to;
    const void* from;
    uint64_t count;
    uint32_t dtype = PLAIT_F32;
  };
  int call(const StepKey& key) override;
  void find_sums(const Plan& plan, const ReplicaMemory& memory);
  void note_uses(const Plan& plan);
  void note_outputs(const Plan& plan);
  const Step& step_;
  LayerCall call_;
  std::vector<Sum> sums_before_, sums_after_;
  std::vector<ParameterGradient> gradients_;
};

// After a change of the parameters. Only for layers that have prepare.
class PrepareNode final : public Node {
 public:
  PrepareNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, const Step& step);
  bool updates() const override { return true; }

 private:
  int call(const StepKey& key) override;
  const Step& step_;
  LayerCall call_;
};

}  // namespace plait::inline graph
