#include "graph/layer_node.h"

#include "base/random_keys.h"
#include "plan/layer_order.h"

namespace plait::inline graph {
namespace {

const LayerSpec& layer_of(const Plan& plan, const Step& step) {
  return *plan.network().nodes[static_cast<size_t>(step.node)].layer;
}

const TensorPlace& place_of(const Plan& plan, int tensor) {
  return plan.tensors()[static_cast<size_t>(tensor)];
}

// The plan does not say how large saved memory, workspace and prepared memory are. Where the order of nodes
// follows from memory (several lanes) every one is a block of its own, so that its first byte stands for it.
constexpr uint64_t kFirstByte = 1;

uint64_t stored(const Plan& plan, int parameter) {
  return plan.parameters()[static_cast<size_t>(parameter)].stored;
}
uint64_t offset(const Plan& plan, int parameter) {
  return plan.parameters()[static_cast<size_t>(parameter)].offset;
}

std::vector<float*> addresses(const Plan& plan, const ReplicaMemory& memory,
                              const std::vector<int>& parameters) {
  std::vector<float*> found;
  for (int parameter : parameters) found.push_back(memory.weights(offset(plan, parameter)));
  return found;
}

}  // namespace

LayerCall::LayerCall(const Plan& plan, const ReplicaMemory& memory, const Step& step)
    : plan_(plan),
      memory_(memory),
      step_(step),
      parameters_(addresses(plan, memory, step.parameters)),
      buffers_(addresses(plan, memory, step.buffers)) {
  for (int tensor : step.inputs) inputs_.push_back(&memory.value(tensor));
  for (int tensor : step.outputs) outputs_.push_back(&memory.value(tensor));
  call_.struct_size = sizeof call_;
  call_.training = step.mode;
  call_.inputs = inputs_.data();
  call_.outputs = outputs_.data();
  call_.parameters = parameters_.data();
  call_.buffers = buffers_.data();
  call_.saved = memory.activation(step.saved);
  call_.workspace = memory.activation(step.workspace);
  call_.prepared = memory.prepared(step.prepared);
}

void LayerCall::add_gradients(const std::vector<float*>& parameter_gradients) {
  for (int tensor : step_.outputs) output_gradients_.push_back(&memory_.gradient_sum(tensor));
  contributions_.reserve(step_.inputs.size());
  for (size_t i = 0; i < step_.inputs.size(); ++i) {
    void* data = memory_.activation(step_.input_gradients[i].offset);
    contributions_.push_back(memory_.like(step_.inputs[i], data));
    input_gradients_.push_back(data == nullptr ? nullptr : &contributions_.back());
  }
  parameter_gradients_ = parameter_gradients;
  call_.output_gradients = output_gradients_.data();
  call_.input_gradients = input_gradients_.data();
  call_.parameter_gradients = parameter_gradients_.data();
}

const plait_layer_call* LayerCall::at(const StepKey& key) {
  if (call_.rng.key == 0 || seed_ != key.seed) {
    seed_ = key.seed;
    call_.rng.key = random_key(key.seed, RandomPurpose::kLayer, layer_of(plan_, step_).name);
  }
  call_.rng.counter_high = random_counter(key.step, key.shard);
  call_.step = key.step;
  for (size_t i = 0; i < contributions_.size(); ++i) {
    contributions_[i].lengths = inputs_[i]->lengths;
    contributions_[i].second_lengths = inputs_[i]->second_lengths;
  }
  return &call_;
}

ForwardNode::ForwardNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory,
                         const Step& step)
    : Node(setup, layer_place(layer_of(plan, step)), plan.network().step_name(step.node), "forward"),
      step_(step),
      call_(plan, memory, step) {
  for (int tensor : step.inputs) {
    const TensorPlace& place = place_of(plan, tensor);
    if (place.offset != kNoOffset) reads(Space::kActivations, place.offset, place.bytes);
  }
  for (int tensor : step.outputs)
    writes(Space::kActivations, place_of(plan, tensor).offset, place_of(plan, tensor).bytes);
  for (uint64_t block : {step.saved, step.workspace}) {
    if (block != kNoOffset) writes(Space::kActivations, block, kFirstByte);
  }
  for (int parameter : step.parameters)
    reads(Space::kWeights, offset(plan, parameter), stored(plan, parameter));
  for (int buffer : step.buffers) writes(Space::kWeights, offset(plan, buffer), stored(plan, buffer));
  if (step.prepared != kNoOffset) reads(Space::kPrepared, step.prepared, kFirstByte);
}

int ForwardNode::call(const StepKey& key) {
  if (step_.instance.ops().forward(step_.instance.self(), context().raw(), call_.at(key)) != PLAIT_OK)
    return PLAIT_FAILED;
  for (const plait_tensor* output : call_.outputs())
    if (zero_past(*output) != PLAIT_OK) return PLAIT_FAILED;
  return PLAIT_OK;
}

BackwardNode::BackwardNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory,
                           const Step& step, std::vector<ParameterGradient> gradients)
    : Node(setup, layer_place(layer_of(plan, step)), plan.network().step_name(step.node), "backward"),
      step_(step),
      call_(plan, memory, step),
      gradients_(std::move(gradients)) {
  std::vector<float*> addresses_of_gradients;
  for (const ParameterGradient& gradient : gradients_) addresses_of_gradients.push_back(gradient.write);
  call_.add_gradients(addresses_of_gradients);
  find_sums(plan, memory);
  note_uses(plan);
  note_outputs(plan);
}

void BackwardNode::find_sums(const Plan& plan, const ReplicaMemory& memory) {
  for (int tensor : step_.outputs) {
    const TensorPlace& place = place_of(plan, tensor);
    const uint32_t dtype = plan.network().tensors[static_cast<size_t>(tensor)].spec.dtype;
    for (uint64_t contribution : place.contributions) {
      sums_before_.push_back({memory.activation(place.gradient), memory.activation(contribution),
                              place.bytes / dtype_bytes(dtype), dtype});
    }
  }
  for (const ParameterGradient& gradient : gradients_) {
    if (gradient.add_to != nullptr) sums_after_.push_back({gradient.add_to, gradient.write, gradient.count});
  }
}

void BackwardNode::note_uses(const Plan& plan) {
  for (size_t i = 0; i < step_.inputs.size(); ++i) {
    const TensorPlace& place = place_of(plan, step_.inputs[i]);
    const bool read = (step_.backward_reads & PLAIT_READS_INPUTS) != 0 && place.offset != kNoOffset;
    if (read) reads(Space::kActivations, place.offset, place.bytes);
    const uint64_t gradient = step_.input_gradients[i].offset;
    if (gradient != kNoOffset) writes(Space::kActivations, gradient, place.bytes);
  }
  for (uint64_t block : {step_.saved, step_.workspace}) {
    if (block != kNoOffset) writes(Space::kActivations, block, kFirstByte);
  }
  for (int parameter : step_.parameters)
    reads(Space::kWeights, offset(plan, parameter), stored(plan, parameter));
  for (int buffer : step_.buffers) reads(Space::kWeights, offset(plan, buffer), stored(plan, buffer));
  if (step_.prepared != kNoOffset) reads(Space::kPrepared, step_.prepared, kFirstByte);
  for (const ParameterGradient& gradient : gradients_) {
    if (gradient.write != nullptr) writes(Space::kGradients, gradient.place, gradient.count);
    if (gradient.add_to != nullptr) writes(Space::kExtraGradients, gradient.extra, gradient.count);
  }
}

void BackwardNode::note_outputs(const Plan& plan) {
  for (int tensor : step_.outputs) {
    const TensorPlace& place = place_of(plan, tensor);
    if ((step_.backward_reads & PLAIT_READS_OUTPUTS) != 0)
      reads(Space::kActivations, place.offset, place.bytes);
    if (place.gradient == kNoOffset) continue;
    const bool varies = plan.network().tensors[static_cast<size_t>(tensor)].spec.varies();
    if (place.contributions.empty() && !varies) {
      reads(Space::kActivations, place.gradient, place.bytes);
    } else {
      writes(Space::kActivations, place.gradient, place.bytes);
    }
    for (uint64_t contribution : place.contributions) reads(Space::kActivations, contribution, place.bytes);
  }
}

int BackwardNode::call(const StepKey& key) {
  for (const Sum& sum : sums_before_) {
    if (add(sum.dtype, sum.to, sum.from, sum.count) != PLAIT_OK) return PLAIT_FAILED;
  }
  for (const plait_tensor* gradient : call_.output_gradients())
    if (zero_past(*gradient) != PLAIT_OK) return PLAIT_FAILED;
  if (step_.instance.ops().backward(step_.instance.self(), context().raw(), call_.at(key)) != PLAIT_OK) {
    return PLAIT_FAILED;
  }
  for (const Sum& sum : sums_after_) {
    if (add(sum.dtype, sum.to, sum.from, sum.count) != PLAIT_OK) return PLAIT_FAILED;
  }
  return PLAIT_OK;
}

PrepareNode::PrepareNode(const NodeSetup& setup, const Plan& plan, const ReplicaMemory& memory,
                         const Step& step)
    : Node(setup, layer_place(layer_of(plan, step)), layer_of(plan, step).name, "update"),
      step_(step),
      call_(plan, memory, step) {
  for (int parameter : step.parameters)
    reads(Space::kWeights, offset(plan, parameter), stored(plan, parameter));
  if (step.prepared != kNoOffset) writes(Space::kPrepared, step.prepared, kFirstByte);
}

int PrepareNode::call(const StepKey& key) {
  return step_.instance.ops().prepare(step_.instance.self(), context().raw(), call_.at(key));
}

}  // namespace plait::inline graph
