#include "graph/update_node.h"

namespace plait::inline graph {
namespace {

using Writes = OptimizerCalls::Writes;

OptimizerCalls::Facts facts_of(const UpdateSetup& setup, double observed) {
  return {observed, setup.loss == nullptr ? setup.memory->mean_loss() : *setup.loss, setup.is_second};
}

}  // namespace

UpdateNode::UpdateNode(const UpdateSetup& setup, const std::vector<UpdateRange>& ranges, std::string place,
                       std::string name)
    : Node(setup.node, std::move(place), std::move(name), "update"),
      setup_(setup),
      calls_(*setup.optimizer, *setup.plan, *setup.memory, ranges) {
  for (const UpdateRange& range : ranges) {
    reads(Space::kGradients, range.begin, range.count);
    writes(Space::kWeights, range.begin, range.count);
  }
  reads(Space::kLosses, 0, setup.plan->losses().size());
  if (setup.observed != nullptr) reads(Space::kObserved, 0, 1);
}

int UpdateNode::call(const StepKey& key) {
  const auto facts = facts_of(setup_, setup_.observed == nullptr ? 0 : *setup_.observed);
  return calls_.each(context(), key, facts, Writes::kWeights, [this](const plait_optimizer_call& call) {
    return setup_.optimizer->step(context(), call);
  });
}

ObserveNode::ObserveNode(const UpdateSetup& setup, const std::vector<UpdateRange>& ranges)
    : Node(setup.node, "optimizer", "optimizer", "update"),
      setup_(setup),
      calls_(*setup.optimizer, *setup.plan, *setup.memory, ranges) {
  for (const UpdateRange& range : ranges) {
    reads(Space::kGradients, range.begin, range.count);
    reads(Space::kWeights, range.begin, range.count);
  }
  reads(Space::kLosses, 0, setup.plan->losses().size());
  writes(Space::kObserved, 0, 1);
}

int ObserveNode::call(const StepKey& key) {
  *setup_.observed = 0;
  return calls_.each(context(), key, facts_of(setup_, 0), Writes::kNothing,
                     [this](const plait_optimizer_call& call) {
                       return setup_.optimizer->observe(context(), call, setup_.observed);
                     });
}

// It runs alone, after all nodes of the first pass.
MoveNode::MoveNode(const UpdateSetup& setup, const std::vector<UpdateRange>& ranges)
    : Node(setup.node, "optimizer", "optimizer", "move"),
      setup_(setup),
      calls_(*setup.optimizer, *setup.plan, *setup.memory, ranges) {}

int MoveNode::call(const StepKey& key) {
  const auto facts = facts_of(setup_, setup_.observed == nullptr ? 0 : *setup_.observed);
  return calls_.each(context(), key, facts, Writes::kWeights, [this](const plait_optimizer_call& call) {
    return setup_.optimizer->move(context(), call);
  });
}

FetchLossNode::FetchLossNode(const NodeSetup& setup, ReplicaMemory& memory)
    : Node(setup, "optimizer", "optimizer", "update"), stream_(*setup.stream), memory_(memory) {
  memory_.fetches_within_step();
}

int FetchLossNode::call(const StepKey&) {
  Status status = memory_.fetch_reports();
  if (status) status = stream_.synchronize();
  if (status) return PLAIT_OK;
  const std::string text = status.message();
  context().raw()->fail(context().raw(), 0, {text.data(), text.size()});
  return PLAIT_FAILED;
}

}  // namespace plait::inline graph
