#include "graph/loss_node.h"

#include <fmt/format.h>

namespace plait::inline graph {

std::string loss_place(const HeadInfo& head) {
  return fmt::format("loss \"{}\" ({})", head.name, head.plugin->where.text());
}

LossNode::LossNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory, size_t head)
    : Node(setup, loss_place(plan.network().losses[head]), plan.network().losses[head].name, "loss"),
      loss_(plan.losses()[head]) {
  const HeadInfo& info = plan.network().losses[head];
  for (const int input : info.inputs) predictions_.push_back(&memory.value(input));
  for (const int target : info.targets) targets_.push_back(&memory.value(target));
  for (size_t i = 0; i < info.inputs.size(); ++i)
    gradients_.push_back(memory.like(info.inputs[i], memory.activation(loss_.gradients[i])));
  for (const plait_tensor& gradient : gradients_)
    gradient_pointers_.push_back(gradient.data == nullptr ? nullptr : &gradient);
  if (info.weights >= 0) {
    weights_part_ = &memory.value(info.weights);
    weights_ = *weights_part_;
    weights_.rank = 1;
    call_.weights = &weights_;
  }
  call_.struct_size = sizeof call_;
  call_.prediction = predictions_.front();
  call_.target = targets_.empty() ? nullptr : targets_.front();
  call_.prediction_gradient = gradient_pointers_.front();
  call_.n_predictions = static_cast<uint32_t>(predictions_.size());
  call_.n_targets = static_cast<uint32_t>(targets_.size());
  call_.predictions = predictions_.data();
  call_.targets = targets_.data();
  call_.prediction_gradients = gradient_pointers_.data();
  call_.result = memory.result(head);
  call_.workspace = memory.activation(loss_.workspace);
  call_.bad_target = memory.bad_target(head);
  call_.gradient_scale = info.weight;
  for (const int tensor : info.reads()) {
    const TensorPlace& place = plan.tensors()[static_cast<size_t>(tensor)];
    if (place.offset != kNoOffset) reads(Space::kActivations, place.offset, place.bytes);
  }
  for (size_t i = 0; i < info.inputs.size(); ++i) {
    const uint64_t bytes = plan.tensors()[static_cast<size_t>(info.inputs[i])].bytes;
    if (loss_.gradients[i] != kNoOffset) writes(Space::kActivations, loss_.gradients[i], bytes);
  }
  writes(Space::kLosses, head, 1);
  if (loss_.workspace != kNoOffset) writes(Space::kActivations, loss_.workspace, 1);
}

int LossNode::call(const StepKey&) {
  for (size_t i = 0; i < gradients_.size(); ++i) {
    gradients_[i].lengths = predictions_[i]->lengths;
    gradients_[i].second_lengths = predictions_[i]->second_lengths;
  }
  if (weights_part_ != nullptr) weights_.data = weights_part_->data;
  return loss_.instance.ops().compute(loss_.instance.self(), context().raw(), &call_);
}

}  // namespace plait::inline graph
