#include "graph/loss_node.h"

#include <fmt/format.h>

namespace plait {

std::string loss_place(const HeadInfo& head) {
  return fmt::format("loss \"{}\" ({})", head.name, head.plugin->where.text());
}

LossNode::LossNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, size_t head)
    : Node(setup, loss_place(plan.network().losses[head]), plan.network().losses[head].name, "loss"),
      loss_(plan.losses()[head]),
      prediction_(memory.value(plan.network().losses[head].input)) {
  const HeadInfo& info = plan.network().losses[head];
  gradient_ = memory.like(info.input, memory.activation(loss_.gradient));
  call_.struct_size = sizeof call_;
  call_.prediction = &prediction_;
  call_.target = &memory.value(info.target);
  call_.prediction_gradient = gradient_.data == nullptr ? nullptr : &gradient_;
  call_.result = memory.result(head);
  call_.workspace = memory.activation(loss_.workspace);
  call_.bad_target = memory.bad_target(head);
  call_.gradient_scale = info.weight;
  for (int tensor : {info.input, info.target}) {
    const TensorPlace& place = plan.tensors()[static_cast<size_t>(tensor)];
    if (place.offset != kNoOffset) reads(Space::kActivations, place.offset, place.bytes);
  }
  const uint64_t bytes = plan.tensors()[static_cast<size_t>(info.input)].bytes;
  if (loss_.gradient != kNoOffset) writes(Space::kActivations, loss_.gradient, bytes);
  writes(Space::kLosses, head, 1);
  if (loss_.workspace != kNoOffset) writes(Space::kActivations, loss_.workspace, 1);
}

int LossNode::call(const StepKey&) {
  gradient_.lengths = prediction_.lengths;
  return loss_.instance.ops().compute(loss_.instance.self(), context().raw(), &call_);
}

}  // namespace plait
