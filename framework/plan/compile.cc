#include <algorithm>

#include "base/checked.h"
#include "plan/convert.h"
#include "plan/gradient_flow.h"
#include "plan/indices.h"
#include "plan/memory.h"
#include "plan/plan.h"
#include "plan/step_maker.h"
#include "plan/step_order.h"

namespace plait::inline plan {

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
    step_of_node_.resize(net().nodes.size());
  }

  Result<std::unique_ptr<Plan>> run() {
    PLAIT_TRY(check_something_trains());
    for (const NodeIndex node : indices<NodeIndex>(net().nodes.size()))
      if (at(net().nodes, node).absorbed_by < 0) PLAIT_TRY(add_step(node));
    for (size_t i = 0; i < net().losses.size(); ++i) PLAIT_TRY(add_loss(i));
    place_activations();
    place_prepared();
    place_parameters();
    PLAIT_TRY(check_sizes());
    return std::move(plan_);
  }

 private:
  const Network& net() const { return plan_->network_; }
  const TensorInfo& info(TensorIndex tensor) const { return at(net().tensors, tensor); }
  const NodeInfo& node(const Step& step) const { return at(net().nodes, NodeIndex(step.node)); }
  Step& step(StepIndex index) { return at(plan_->steps_, index); }
  const Step& step(StepIndex index) const { return at(plan_->steps_, index); }
  TensorPlace& place(TensorIndex tensor) { return at(plan_->tensors_, tensor); }
  std::vector<StepIndex> steps() const { return indices<StepIndex>(plan_->steps_.size()); }
  bool concurrent() const { return plan_->options_.lanes > 1; }

  Status check_something_trains() const {
    if (!plan_->options_.training || std::ranges::count(flow_.node_backward, true) > 0) return {};
    return {Code::kInvalid, "nothing to train: no layer before a loss has parameters that are not frozen"};
  }

  Status add_step(NodeIndex number) {
    const NodeInfo& info = at(net().nodes, number);
    const bool backward = at(flow_.node_backward, number);
    std::vector<bool> needed;
    for (const TensorIndex input : indices<TensorIndex>(info.inputs))
      needed.push_back(backward && at(flow_.tensor_needed, input));
    PLAIT_ASSIGN(MadeLayer made, make_step(info, needed));
    Step step(number.number(), std::move(made.instance));
    step.inputs = info.inputs;
    step.outputs = info.outputs;
    step.parameters = info.parameters;
    step.buffers = info.buffers;
    step.input_gradients.resize(info.inputs.size());
    step.backward_reads = made.needs.backward_reads;
    step.repeats = made.needs.repeats;
    step.mode = mode_of(info, plan_->options_);
    step.takes_int8 = made.needs.takes_int8;
    step.kernels = std::move(made.kernels);
    step.backward = backward;
    if (!backward) step.kernels.backward.clear();
    at(step_of_node_, number) = StepIndex(plan_->steps_.size());
    plan_->steps_.push_back(std::move(step));
    needs_.push_back(std::move(made.needs));
    return {};
  }

  Result<MadeLayer> make_step(const NodeInfo& info, const std::vector<bool>& needed) const {
    if (info.converts) return make_conversion();
    return make_layer(registry_, net(), info, needed, plan_->options_);
  }

  Status add_loss(size_t head) {
    PLAIT_ASSIGN(MadeLoss made, make_loss(registry_, net(), net().losses[head], plan_->options_));
    plan_->losses_.emplace_back(static_cast<int>(head), std::move(made.instance));
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
  // step i at 2S - i. With several lanes steps may run in another order: memory is then shared where data
  // alone decides who comes first (StepOrder).
  int forward_time(StepIndex step) const { return step.number(); }
  int loss_time() const { return static_cast<int>(plan_->steps_.size()); }
  int backward_time(StepIndex step) const { return 2 * loss_time() - step.number(); }
  int end_time() const { return 2 * loss_time() + 1; }

  BlockIndex add_block(uint64_t bytes, int first, int last) {
    blocks_.push_back({bytes, first, last, 0, true, {first}});
    if (last != first) blocks_.back().times.push_back(last);
    return BlockIndex(blocks_.size() - 1);
  }
  void extend(BlockIndex block, int time) {
    MemoryBlock& b = at(blocks_, block);
    b.first = std::min(b.first, time);
    b.last = std::max(b.last, time);
    if (std::ranges::count(b.times, time) == 0) b.times.push_back(time);
  }

  // Where an answer of place_blocks goes.
  void wants(uint64_t* target, BlockIndex block) { wanted_.push_back({target, block}); }

  void place_activations() {
    plan_->tensors_.resize(net().tensors.size());
    value_block_.resize(net().tensors.size());
    gradient_block_.resize(net().tensors.size());
    for (const StepIndex step : steps()) place_values(step);
    place_losses();
    const std::vector<StepIndex> all = steps();
    for (auto step = all.rbegin(); step != all.rend(); ++step) place_backward(*step);
    plan_->activation_bytes_ = concurrent() ? place_by_data() : place_blocks(blocks_, kAlignment);
    for (const auto& [target, block] : wanted_) *target = at(blocks_, block).offset;
    for (const auto& [tensor, block] : further_)
      place(tensor).contributions.push_back(at(blocks_, block).offset);
  }

  // Of the tensor's writer among the steps; none: it is a part of the batch.
  StepIndex producer(TensorIndex tensor) const {
    const NodeIndex node(info(tensor).node);
    return node.is_any() ? at(step_of_node_, node) : StepIndex();
  }

  StepOrder order_by_data() const {
    const auto number = [](StepIndex step) { return static_cast<size_t>(step.number()); };
    StepOrder order(plan_->steps_.size(), plan_->losses_.size());
    for (const StepIndex index : steps()) {
      for (const TensorIndex input : indices<TensorIndex>(step(index).inputs)) {
        const StepIndex from = producer(input);
        if (!from.is_any()) continue;
        order.reads(number(index), number(from));
        if (step(index).backward && at(flow_.tensor_needed, input)) order.gives(number(index), number(from));
      }
    }
    for (size_t head = 0; head < net().losses.size(); ++head) {
      for (const TensorIndex tensor : indices<TensorIndex>(net().losses[head].reads())) {
        const StepIndex from = producer(tensor);
        if (!from.is_any()) continue;
        order.loss_reads(head, number(from));
        if (at(flow_.tensor_needed, tensor)) order.loss_gives(head, number(from));
      }
    }
    order.close();
    return order;
  }

  uint64_t place_by_data() {
    const StepOrder order = order_by_data();
    return place_blocks(blocks_, kAlignment, [&](const MemoryBlock& a, const MemoryBlock& b) {
      return order.alive_together(a, b);
    });
  }

  bool reads(StepIndex index, uint32_t what) const {
    return step(index).backward && (step(index).backward_reads & what) != 0;
  }

  void place_values(StepIndex index) {
    Step& of = step(index);
    const StepNeeds& needs = at(needs_, index);
    for (const TensorIndex input : indices<TensorIndex>(of.inputs)) use_value(input, index);
    for (const TensorIndex output : indices<TensorIndex>(of.outputs)) place_output(output, index);
    const int last = of.backward ? backward_time(index) : forward_time(index);
    if (needs.saved > 0) wants(&of.saved, add_block(needs.saved, forward_time(index), last));
    if (needs.workspace > 0)
      wants(&of.workspace, workspace_block(needs.workspace, forward_time(index), last));
  }

  // Steps that run one after the other share one workspace.
  BlockIndex workspace_block(uint64_t bytes, int first, int last) {
    if (concurrent()) {
      const BlockIndex own = add_block(bytes, first, last);
      at(blocks_, own).keeps = false;
      return own;
    }
    if (!workspace_block_.is_any()) workspace_block_ = add_block(0, 0, end_time());
    MemoryBlock& block = at(blocks_, workspace_block_);
    block.bytes = std::max(block.bytes, bytes);
    return workspace_block_;
  }

  void use_value(TensorIndex tensor, StepIndex reader) {
    const BlockIndex block = at(value_block_, tensor);
    if (!block.is_any()) return;  // a part of the batch
    extend(block, forward_time(reader));
    if (reads(reader, PLAIT_READS_INPUTS)) extend(block, backward_time(reader));
  }

  void place_output(TensorIndex tensor, StepIndex writer) {
    place(tensor).bytes = tensor_bytes(tensor);
    BlockIndex block = shared_with_input(writer);
    if (!block.is_any()) block = add_block(tensor_bytes(tensor), forward_time(writer), forward_time(writer));
    extend(block, forward_time(writer));
    if (reads(writer, PLAIT_READS_OUTPUTS)) extend(block, backward_time(writer));
    // An output that nobody reads is the network's answer: alive to the end.
    if (!is_read(tensor) || plan_->options_.keeps_values) extend(block, end_time());
    at(value_block_, tensor) = block;
    wants(&place(tensor).offset, block);
  }

  bool is_read(TensorIndex tensor) const {
    return std::ranges::any_of(
        plan_->steps_, [&](const Step& s) { return std::ranges::count(s.inputs, tensor.number()) > 0; });
  }
  size_t count_readers(TensorIndex tensor) const {
    size_t count = 0;
    for (const Step& s : plan_->steps_)
      count += static_cast<size_t>(std::ranges::count(s.inputs, tensor.number()));
    for (const auto& heads : {&net().losses, &net().metrics})
      for (const HeadInfo& head : *heads)
        count += static_cast<size_t>(std::ranges::count(head.reads(), tensor.number()));
    return count;
  }

  // The block of input 0 when an in-place layer may write over it.
  BlockIndex shared_with_input(StepIndex index) const {
    const Step& of = step(index);
    if (!node(of).in_place || of.inputs.empty() || of.outputs.size() != 1) return {};
    if (plan_->options_.keeps_values) return {};
    const TensorIndex input(of.inputs.front()), output(of.outputs.front());
    const NodeIndex producer(info(input).node);
    if (!producer.is_any() || count_readers(input) != 1) return {};
    if (reads(at(step_of_node_, producer), PLAIT_READS_OUTPUTS) || reads(index, PLAIT_READS_INPUTS))
      return {};
    return tensor_bytes(input) == tensor_bytes(output) ? at(value_block_, input) : BlockIndex();
  }

  void place_losses() {
    for (size_t i = 0; i < plan_->losses_.size(); ++i) {
      LossStep& loss = plan_->losses_[i];
      const HeadInfo& head = net().losses[i];
      use_by_head(head, loss_time());
      if (loss_workspace_[i] > 0)
        wants(&loss.workspace, workspace_block(loss_workspace_[i], loss_time(), loss_time()));
      loss.gradients.assign(head.inputs.size(), kNoOffset);
      for (size_t p = 0; p < head.inputs.size(); ++p) {
        const TensorIndex input(head.inputs[p]);
        if (at(flow_.tensor_needed, input))
          contribute(input, add_block(tensor_bytes(input), loss_time(), loss_time()), &loss.gradients[p]);
      }
    }
    for (const HeadInfo& head : net().metrics) use_by_head(head, end_time());
  }

  void use_by_head(const HeadInfo& head, int time) {
    for (const TensorIndex tensor : indices<TensorIndex>(head.reads()))
      if (at(value_block_, tensor).is_any()) extend(at(value_block_, tensor), time);
  }

  uint64_t tensor_bytes(TensorIndex tensor) const { return byte_count(info(tensor).spec); }

  // `block` holds a contribution to the tensor's gradient, alive until the backward step that reads the sum.
  void contribute(TensorIndex tensor, BlockIndex block, uint64_t* target) {
    const StepIndex reader = at(step_of_node_, NodeIndex(info(tensor).node));
    extend(block, backward_time(reader));
    wants(target, block);
    if (at(gradient_block_, tensor).is_any()) return further_.push_back({tensor, block});
    at(gradient_block_, tensor) = block;
    wants(&place(tensor).gradient, block);
  }

  // In the order of execution (last step first), so that every reader's contribution exists when the sum is
  // read.
  void place_backward(StepIndex index) {
    Step& of = step(index);
    if (!of.backward) return;
    for (const TensorIndex output : indices<TensorIndex>(of.outputs))
      if (!at(gradient_block_, output).is_any()) place_zero_gradient(output);
    for (size_t i = 0; i < of.inputs.size(); ++i) {
      const TensorIndex input(of.inputs[i]);
      if (!at(flow_.tensor_needed, input)) continue;
      BlockIndex block = i == 0 ? shared_gradient(index) : BlockIndex();
      if (!block.is_any()) block = add_block(tensor_bytes(input), backward_time(index), backward_time(index));
      contribute(input, block, &of.input_gradients[i].offset);
    }
  }

  void place_zero_gradient(TensorIndex tensor) {
    place(tensor).zero_gradient = true;
    const BlockIndex block = add_block(tensor_bytes(tensor), 0, end_time());
    at(gradient_block_, tensor) = block;
    wants(&place(tensor).gradient, block);
  }

  // The block of dy when an in-place layer may write the gradient of its first input over it.
  BlockIndex shared_gradient(StepIndex index) const {
    const Step& of = step(index);
    if (!node(of).in_place || of.inputs.empty() || of.outputs.size() != 1) return {};
    const TensorIndex input(of.inputs.front()), output(of.outputs.front());
    if (at(plan_->tensors_, output).zero_gradient) return {};
    return tensor_bytes(output) == tensor_bytes(input) ? at(gradient_block_, output) : BlockIndex();
  }

  void place_prepared() {
    for (const StepIndex index : steps()) {
      const uint64_t prepared = at(needs_, index).prepared;
      if (prepared == 0) continue;
      step(index).prepared = plan_->prepared_bytes_;
      plan_->prepared_bytes_ = sum_or_most(plan_->prepared_bytes_, round_up_or_most(prepared, kAlignment));
    }
  }

  // ---- the flat arena: what is trained first, then what is frozen, then buffers.
  void place_parameters() {
    plan_->parameters_.resize(net().parameters.size());
    for (const StepIndex index : steps())
      for (size_t i = 0; i < step(index).parameters.size(); ++i) note_storage(index, static_cast<int>(i));
    uint64_t offset = 0;
    for (int pass = 0; pass < 3; ++pass) {
      if (pass == 1) plan_->trained_elements_ = offset;
      if (pass == 2) plan_->buffers_offset_ = offset;
      for (size_t i = 0; i < net().parameters.size(); ++i) {
        const ParameterInfo& parameter = net().parameters[i];
        ParameterPlace& placed = plan_->parameters_[i];
        if (pass != (parameter.buffer ? 2 : placed.trained ? 0 : 1)) continue;
        if (placed.stored == 0) placed.stored = parameter.elements;
        placed.offset = offset;
        offset = sum_or_most(offset, round_up_or_most(placed.stored, kAlignment / sizeof(float)));
      }
    }
    plan_->arena_elements_ = offset;
  }

  // `number`: of the parameter among the step's.
  void note_storage(StepIndex index, int number) {
    const Step& of = step(index);
    const ParameterIndex parameter(of.parameters[static_cast<size_t>(number)]);
    ParameterPlace& placed = at(plan_->parameters_, parameter);
    placed.trained = !at(net().parameters, parameter).frozen;
    const plait_layer_ops& ops = of.instance.ops();
    if (placed.step >= 0 || !PLAIT_HAS(&ops, pack) || !PLAIT_HAS(&ops, unpack)) return;
    placed.step = index.number();
    placed.index = number;
    const auto& sizes = at(needs_, index).stored;
    const auto stored = sizes.find(static_cast<uint32_t>(number));
    if (stored != sizes.end()) placed.stored = stored->second;
  }

  const Registry& registry_;
  std::unique_ptr<Plan> plan_;
  GradientFlow flow_;
  std::vector<StepNeeds> needs_;
  std::vector<uint64_t> loss_workspace_;
  std::vector<StepIndex> step_of_node_;
  std::vector<MemoryBlock> blocks_;
  std::vector<std::pair<uint64_t*, BlockIndex>> wanted_;
  std::vector<std::pair<TensorIndex, BlockIndex>> further_;  // contributions to a gradient after its first
  std::vector<BlockIndex> value_block_, gradient_block_;     // by tensor; of no block: a part of the batch
  BlockIndex workspace_block_;
};

Result<std::unique_ptr<Plan>> Plan::compile(const Registry& registry, Network network,
                                            const CompileOptions& options) {
  return PlanCompiler(registry, std::move(network), options).run();
}

Plan::~Plan() = default;

}  // namespace plait::inline plan
