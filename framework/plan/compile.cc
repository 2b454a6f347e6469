#include <algorithm>

#include "base/checked.h"
#include "plan/gradient_flow.h"
#include "plan/memory.h"
#include "plan/plan.h"
#include "plan/step_maker.h"

namespace plait {

// Makes a Plan in three passes: kernels, the lifetimes of memory, the parameter arena.
class PlanCompiler {
 public:
  PlanCompiler(const Registry& registry, Network network, const CompileOptions& options)
      : registry_(registry), plan_(new Plan) {
    plan_->network_ = std::move(network);
    plan_->options_ = options;
    flow_ = gradient_flow(net());
    if (!options.training) flow_.node_backward.assign(net().nodes.size(), false);
    if (!options.training) flow_.tensor_needed.assign(net().tensors.size(), false);
    step_of_node_.assign(net().nodes.size(), -1);
  }

  Result<std::unique_ptr<Plan>> run() {
    PLAIT_TRY(check_something_trains());
    for (size_t i = 0; i < net().nodes.size(); ++i)
      if (net().nodes[i].absorbed_by < 0) PLAIT_TRY(add_step(static_cast<int>(i)));
    for (size_t i = 0; i < net().losses.size(); ++i) PLAIT_TRY(add_loss(static_cast<int>(i)));
    place_activations();
    place_prepared();
    place_parameters();
    PLAIT_TRY(check_sizes());
    return std::move(plan_);
  }

 private:
  const Network& net() const { return plan_->network_; }
  const NodeInfo& node(const Step& step) const { return net().nodes[static_cast<size_t>(step.node)]; }
  bool concurrent() const { return plan_->options_.lanes > 1; }

  Status check_something_trains() const {
    if (!plan_->options_.training || std::ranges::count(flow_.node_backward, true) > 0) return {};
    return {Code::kInvalid, "nothing to train: no layer before a loss has parameters that are not frozen"};
  }

  Status add_step(int number) {
    const NodeInfo& info = net().nodes[static_cast<size_t>(number)];
    const bool backward = flow_.node_backward[static_cast<size_t>(number)];
    std::vector<bool> needed;
    for (int input : info.inputs)
      needed.push_back(backward && flow_.tensor_needed[static_cast<size_t>(input)]);
    PLAIT_ASSIGN(MadeLayer made, make_layer(registry_, net(), info, needed, plan_->options_));
    Step step(number, std::move(made.instance));
    step.inputs = info.inputs;
    step.outputs = info.outputs;
    step.parameters = info.parameters;
    step.buffers = info.buffers;
    step.input_gradients.resize(info.inputs.size());
    step.backward_reads = made.needs.backward_reads;
    step.repeats = made.needs.repeats;
    step.backward = backward;
    step_of_node_[static_cast<size_t>(number)] = static_cast<int>(plan_->steps_.size());
    plan_->steps_.push_back(std::move(step));
    needs_.push_back(std::move(made.needs));
    return {};
  }

  Status add_loss(int head) {
    const HeadInfo& info = net().losses[static_cast<size_t>(head)];
    PLAIT_ASSIGN(MadeLoss made, make_loss(registry_, net(), info, plan_->options_));
    plan_->losses_.emplace_back(head, std::move(made.instance));
    plan_->losses_.back().repeats = made.repeats;
    loss_workspace_.push_back(made.workspace);
    return {};
  }

  Status check_sizes() const {
    const std::string& job = net().name;
    PLAIT_TRY(check_bytes(job + ": the values of a batch of " + std::to_string(net().batch) + " take",
                          plan_->activation_bytes_));
    PLAIT_TRY(check_bytes(job + ": what kernels prepare takes", plan_->prepared_bytes_));
    return check_bytes(job + ": the parameters take", product_or_most(plan_->arena_elements_, sizeof(float)));
  }

  // ---- activation memory. Time runs over the serial order: forward of step i at i, losses at S, backward of
  // step i at 2S - i. With several lanes steps may run in another order, so that nothing shares memory there.
  int forward_time(int step) const { return step; }
  int loss_time() const { return static_cast<int>(plan_->steps_.size()); }
  int backward_time(int step) const { return 2 * loss_time() - step; }
  int end_time() const { return 2 * loss_time() + 1; }

  int add_block(uint64_t bytes, int first, int last) {
    blocks_.push_back({bytes, concurrent() ? 0 : first, concurrent() ? end_time() : last});
    return static_cast<int>(blocks_.size()) - 1;
  }
  void extend(int block, int time) {
    MemoryBlock& b = blocks_[static_cast<size_t>(block)];
    b.first = std::min(b.first, time);
    b.last = std::max(b.last, time);
  }

  // Where an answer of place_blocks goes.
  void wants(uint64_t* target, int block) { wanted_.push_back({target, block}); }

  void place_activations() {
    plan_->tensors_.resize(net().tensors.size());
    value_block_.assign(net().tensors.size(), -1);
    gradient_block_.assign(net().tensors.size(), -1);
    for (size_t i = 0; i < plan_->steps_.size(); ++i) place_values(static_cast<int>(i));
    place_losses();
    for (size_t i = plan_->steps_.size(); i-- > 0;) place_backward(static_cast<int>(i));
    plan_->activation_bytes_ = place_blocks(blocks_, kAlignment);
    for (const auto& [target, block] : wanted_) *target = blocks_[static_cast<size_t>(block)].offset;
    for (const auto& [tensor, block] : further_)
      plan_->tensors_[static_cast<size_t>(tensor)].contributions.push_back(
          blocks_[static_cast<size_t>(block)].offset);
  }

  bool reads(int step, uint32_t what) const {
    const Step& s = plan_->steps_[static_cast<size_t>(step)];
    return s.backward && (s.backward_reads & what) != 0;
  }

  void place_values(int number) {
    Step& step = plan_->steps_[static_cast<size_t>(number)];
    const StepNeeds& needs = needs_[static_cast<size_t>(number)];
    for (int input : step.inputs) use_value(input, number);
    for (int output : step.outputs) place_output(output, number);
    if (needs.saved > 0)
      wants(&step.saved,
            add_block(needs.saved, forward_time(number), step.backward ? backward_time(number) : number));
    if (needs.workspace > 0) wants(&step.workspace, workspace_block(needs.workspace));
  }

  // Steps that run one after the other share one workspace.
  int workspace_block(uint64_t bytes) {
    if (concurrent() || workspace_block_ < 0) workspace_block_ = add_block(0, 0, end_time());
    MemoryBlock& block = blocks_[static_cast<size_t>(workspace_block_)];
    block.bytes = std::max(block.bytes, bytes);
    return workspace_block_;
  }

  void use_value(int tensor, int number) {
    const int block = value_block_[static_cast<size_t>(tensor)];
    if (block < 0) return;  // a part of the batch
    extend(block, forward_time(number));
    if (reads(number, PLAIT_READS_INPUTS)) extend(block, backward_time(number));
  }

  void place_output(int tensor, int number) {
    const uint64_t bytes = byte_count(net().tensors[static_cast<size_t>(tensor)].spec);
    plan_->tensors_[static_cast<size_t>(tensor)].bytes = bytes;
    int block = shared_with_input(number);
    if (block < 0) block = add_block(bytes, forward_time(number), forward_time(number));
    extend(block, forward_time(number));
    if (reads(number, PLAIT_READS_OUTPUTS)) extend(block, backward_time(number));
    // An output that nobody reads is the network's answer: alive to the end.
    if (!is_read(tensor)) extend(block, end_time());
    value_block_[static_cast<size_t>(tensor)] = block;
    wants(&plan_->tensors_[static_cast<size_t>(tensor)].offset, block);
  }

  bool is_read(int tensor) const {
    return std::ranges::any_of(plan_->steps_,
                               [&](const Step& s) { return std::ranges::count(s.inputs, tensor) > 0; });
  }
  size_t count_readers(int tensor) const {
    size_t count = 0;
    for (const Step& s : plan_->steps_) count += static_cast<size_t>(std::ranges::count(s.inputs, tensor));
    for (const auto& heads : {&net().losses, &net().metrics})
      for (const HeadInfo& head : *heads)
        count += static_cast<size_t>(std::ranges::count(head.reads(), tensor));
    return count;
  }

  // The block of input 0 when an in-place layer may write over it, else -1.
  int shared_with_input(int number) const {
    const Step& step = plan_->steps_[static_cast<size_t>(number)];
    if (!node(step).in_place || step.inputs.size() != 1 || step.outputs.size() != 1) return -1;
    const int input = step.inputs.front();
    const int producer = net().tensors[static_cast<size_t>(input)].node;
    if (producer < 0 || count_readers(input) != 1) return -1;
    const int producer_step = step_of_node_[static_cast<size_t>(producer)];
    if (reads(producer_step, PLAIT_READS_OUTPUTS) || reads(number, PLAIT_READS_INPUTS)) return -1;
    const auto& from = net().tensors[static_cast<size_t>(input)].spec;
    const auto& to = net().tensors[static_cast<size_t>(step.outputs.front())].spec;
    return byte_count(from) == byte_count(to) ? value_block_[static_cast<size_t>(input)] : -1;
  }

  void place_losses() {
    for (size_t i = 0; i < plan_->losses_.size(); ++i) {
      LossStep& loss = plan_->losses_[i];
      const HeadInfo& head = net().losses[i];
      for (const int tensor : head.reads())
        if (value_block_[static_cast<size_t>(tensor)] >= 0)
          extend(value_block_[static_cast<size_t>(tensor)], loss_time());
      if (loss_workspace_[i] > 0) wants(&loss.workspace, workspace_block(loss_workspace_[i]));
      loss.gradients.assign(head.inputs.size(), kNoOffset);
      for (size_t p = 0; p < head.inputs.size(); ++p) {
        const int input = head.inputs[p];
        if (flow_.tensor_needed[static_cast<size_t>(input)])
          contribute(input, add_block(tensor_bytes(input), loss_time(), loss_time()), &loss.gradients[p]);
      }
    }
    for (const HeadInfo& head : net().metrics)
      for (const int tensor : head.reads())
        if (value_block_[static_cast<size_t>(tensor)] >= 0)
          extend(value_block_[static_cast<size_t>(tensor)], end_time());
  }

  uint64_t tensor_bytes(int tensor) const {
    return byte_count(net().tensors[static_cast<size_t>(tensor)].spec);
  }

  // `block` holds a contribution to the tensor's gradient, alive until the backward step that reads the sum.
  void contribute(int tensor, int block, uint64_t* target) {
    TensorPlace& place = plan_->tensors_[static_cast<size_t>(tensor)];
    const int reader = step_of_node_[static_cast<size_t>(net().tensors[static_cast<size_t>(tensor)].node)];
    extend(block, backward_time(reader));
    wants(target, block);
    if (gradient_block_[static_cast<size_t>(tensor)] < 0) {
      gradient_block_[static_cast<size_t>(tensor)] = block;
      wants(&place.gradient, block);
    } else {
      further_.push_back({tensor, block});
    }
  }

  // In the order of execution (last step first), so that every reader's contribution exists when the sum is
  // read.
  void place_backward(int number) {
    Step& step = plan_->steps_[static_cast<size_t>(number)];
    if (!step.backward) return;
    for (int output : step.outputs)
      if (gradient_block_[static_cast<size_t>(output)] < 0) place_zero_gradient(output);
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const int input = step.inputs[i];
      if (!flow_.tensor_needed[static_cast<size_t>(input)]) continue;
      int block = shared_gradient(number);
      if (block < 0) block = add_block(tensor_bytes(input), backward_time(number), backward_time(number));
      contribute(input, block, &step.input_gradients[i].offset);
    }
  }

  void place_zero_gradient(int tensor) {
    TensorPlace& place = plan_->tensors_[static_cast<size_t>(tensor)];
    place.zero_gradient = true;
    const int block = add_block(tensor_bytes(tensor), 0, end_time());
    gradient_block_[static_cast<size_t>(tensor)] = block;
    wants(&place.gradient, block);
  }

  // The block of dy when an in-place layer may write dx over it, else -1.
  int shared_gradient(int number) const {
    const Step& step = plan_->steps_[static_cast<size_t>(number)];
    if (!node(step).in_place || step.inputs.size() != 1 || step.outputs.size() != 1) return -1;
    const int output = step.outputs.front();
    if (plan_->tensors_[static_cast<size_t>(output)].zero_gradient) return -1;
    return tensor_bytes(output) == tensor_bytes(step.inputs.front())
               ? gradient_block_[static_cast<size_t>(output)]
               : -1;
  }

  void place_prepared() {
    for (size_t i = 0; i < plan_->steps_.size(); ++i) {
      if (needs_[i].prepared == 0) continue;
      plan_->steps_[i].prepared = plan_->prepared_bytes_;
      plan_->prepared_bytes_ =
          sum_or_most(plan_->prepared_bytes_, round_up_or_most(needs_[i].prepared, kAlignment));
    }
  }

  // ---- the flat arena: what is trained first, then what is frozen, then buffers.
  void place_parameters() {
    plan_->parameters_.resize(net().parameters.size());
    for (size_t s = 0; s < plan_->steps_.size(); ++s) {
      const NodeInfo& info = node(plan_->steps_[s]);
      for (size_t i = 0; i < info.parameters.size(); ++i)
        note_storage(static_cast<int>(s), static_cast<int>(i));
    }
    uint64_t offset = 0;
    for (int pass = 0; pass < 3; ++pass) {
      if (pass == 1) plan_->trained_elements_ = offset;
      if (pass == 2) plan_->buffers_offset_ = offset;
      for (size_t i = 0; i < net().parameters.size(); ++i) {
        const ParameterInfo& info = net().parameters[i];
        ParameterPlace& place = plan_->parameters_[i];
        if (pass != (info.buffer ? 2 : place.trained ? 0 : 1)) continue;
        if (place.stored == 0) place.stored = info.elements;
        place.offset = offset;
        offset = sum_or_most(offset, round_up_or_most(place.stored, kAlignment / sizeof(float)));
      }
    }
    plan_->arena_elements_ = offset;
  }

  void note_storage(int step, int index) {
    const Step& s = plan_->steps_[static_cast<size_t>(step)];
    const int number = s.parameters[static_cast<size_t>(index)];
    const ParameterInfo& info = net().parameters[static_cast<size_t>(number)];
    ParameterPlace& place = plan_->parameters_[static_cast<size_t>(number)];
    place.trained = !info.frozen;
    const StepNeeds& needs = needs_[static_cast<size_t>(step)];
    const plait_layer_ops& ops = s.instance.ops();
    if (place.step >= 0 || !PLAIT_HAS(&ops, pack) || !PLAIT_HAS(&ops, unpack)) return;
    place.step = step;
    place.index = index;
    auto stored = needs.stored.find(static_cast<uint32_t>(index));
    if (stored != needs.stored.end()) place.stored = stored->second;
  }

  const Registry& registry_;
  std::unique_ptr<Plan> plan_;
  GradientFlow flow_;
  std::vector<StepNeeds> needs_;
  std::vector<uint64_t> loss_workspace_;
  std::vector<int> step_of_node_;
  std::vector<MemoryBlock> blocks_;
  std::vector<std::pair<uint64_t*, int>> wanted_;
  std::vector<std::pair<int, int>> further_;
  std::vector<int> value_block_, gradient_block_;
  int workspace_block_ = -1;
};

Result<std::unique_ptr<Plan>> Plan::compile(const Registry& registry, Network network,
                                            const CompileOptions& options) {
  return PlanCompiler(registry, std::move(network), options).run();
}

Plan::~Plan() = default;

}  // namespace plait
