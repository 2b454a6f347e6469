#include "plan/step_maker.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "plan/kernel_notes.h"
#include "plan/layer_order.h"
#include "plan/loss_request.h"
#include "registry/context.h"
#include "registry/shape_text.h"

namespace plait::inline plan {
namespace {

StepNeeds& answers(const plait_layer_needs* needs) { return *static_cast<StepNeeds*>(needs->host_data); }

plait_layer_needs needs_for(StepNeeds& needs) {
  plait_layer_needs c{};
  c.struct_size = sizeof c;
  c.host_data = &needs;
  c.saved = [](const plait_layer_needs* n, uint64_t bytes) { answers(n).saved = bytes; };
  c.workspace = [](const plait_layer_needs* n, uint64_t bytes) { answers(n).workspace = bytes; };
  c.prepared = [](const plait_layer_needs* n, uint64_t bytes) { answers(n).prepared = bytes; };
  c.stored_elements = [](const plait_layer_needs* n, uint32_t index, uint64_t count) {
    answers(n).stored[index] = count;
  };
  c.backward_reads = [](const plait_layer_needs* n, uint32_t reads) { answers(n).backward_reads = reads; };
  c.accumulates = [](const plait_layer_needs*) {};  // the host adds contributions itself, in a fixed order
  c.repeats = [](const plait_layer_needs* n) { answers(n).repeats = true; };
  c.takes_int8 = [](const plait_layer_needs* n, uint32_t input) { answers(n).takes_int8.push_back(input); };
  return c;
}

Status check_needs(const StepNeeds& needs) {
  PLAIT_TRY(check_bytes("what forward saves takes", needs.saved));
  PLAIT_TRY(check_bytes("the workspace takes", needs.workspace));
  PLAIT_TRY(check_bytes("what is prepared takes", needs.prepared));
  for (const auto& [index, elements] : needs.stored)
    PLAIT_TRY(check_bytes("parameter " + std::to_string(index) + " takes",
                          product_or_most(elements, sizeof(float))));
  return {};
}

// The epilogues of a node as the border wants them.
class EpilogueArray {
 public:
  explicit EpilogueArray(const std::vector<Epilogue>& epilogues) {
    c_.reserve(epilogues.size());
    for (const Epilogue& e : epilogues) {
      c_.push_back(e.c());
      pointers_.push_back(&c_.back());
    }
  }
  const plait_epilogue* const* data() const { return pointers_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(c_.size()); }

 private:
  std::vector<plait_epilogue> c_;
  std::vector<const plait_epilogue*> pointers_;
};

// The ranges of a node's inputs as the border wants them.
class RangeArray {
 public:
  RangeArray(const std::vector<Int8Range>& ranges, size_t inputs) : c_(inputs), pointers_(inputs) {
    for (const Int8Range& range : ranges) {
      const auto input = static_cast<size_t>(range.input);
      if (input >= inputs) continue;  // check_ranges says so
      c_[input] = {sizeof(plait_range), 0, range.low, range.high};
      pointers_[input] = &c_[input];
    }
  }
  const plait_range* const* data() const { return pointers_.data(); }

 private:
  std::vector<plait_range> c_;
  std::vector<const plait_range*> pointers_;
};

Status check_ranges(const LayerSpec& layer, const Network& network, const std::vector<int>& inputs) {
  for (const Int8Range& range : layer.ranges) {
    const std::string place = range.where.place_text() + ": int8";
    if (range.input >= static_cast<int64_t>(inputs.size()))
      return {Code::kInvalid, place + ": got input " + std::to_string(range.input) + ", and the layer has " +
                                  std::to_string(inputs.size())};
    const TensorInfo& info = network.tensors[static_cast<size_t>(inputs[static_cast<size_t>(range.input)])];
    if (info.spec.dtype != PLAIT_F32)
      return {Code::kInvalid, place + ": input " + std::to_string(range.input) + " is " +
                                  part_text(info.spec) + ", wanted f32"};
  }
  return {};
}

// An instance that was made with a range and says nothing of it computes as if there was none.
Status check_takes(const LayerSpec& layer, const StepNeeds& needs, const std::string& device_id) {
  for (const Int8Range& range : layer.ranges) {
    if (std::ranges::count(needs.takes_int8, static_cast<uint32_t>(range.input)) > 0) continue;
    return {Code::kUnsupported, range.where.place_text() + ": int8: a " + layer.plugin.entry->short_name() +
                                    " of this shape does not compute from input " +
                                    std::to_string(range.input) + " on 8-bit integers (device " + device_id +
                                    "); take the range out"};
  }
  return {};
}

// What is said of inputs that are not there or not f32 is a mistake of the plugin.
Status check_answers(const StepNeeds& needs, const std::vector<PartSpec>& inputs) {
  for (const uint32_t input : needs.takes_int8)
    if (input >= inputs.size() || inputs[input].dtype != PLAIT_F32)
      return {Code::kPlugin, "takes a range of input " + std::to_string(input) + ", wanted one of the " +
                                 std::to_string(inputs.size()) + " inputs, of f32"};
  return {};
}

}  // namespace

uint32_t mode_of(const NodeInfo& node, const CompileOptions& options) {
  if (options.training) return PLAIT_TRAINING;
  return options.measuring && node.measures && !node.frozen ? PLAIT_MEASURING : PLAIT_EVALUATION;
}

Result<MadeLayer> make_layer(const Registry& registry, const Network& network, const NodeInfo& node,
                             const std::vector<bool>& gradient_needed, const CompileOptions& options) {
  const std::string place = layer_place(*node.layer);
  auto ops = registry.ops<plait_layer_ops>(node.layer->plugin.id(), options.device_id);
  if (!ops) return ops.status().at(place);

  const std::vector<PartSpec> input_specs = specs_of(network, node.inputs),
                              output_specs = specs_of(network, node.outputs);
  const RawParts inputs(input_specs), outputs(output_specs);
  const EpilogueArray epilogues(node.epilogues);
  std::vector<uint8_t> needed(gradient_needed.begin(), gradient_needed.end());
  plait_layer_request request{};
  request.struct_size = sizeof request;
  request.n_inputs = inputs.size();
  request.config = node.layer->plugin.config.get();
  request.inputs = inputs.data();
  request.input_gradient_needed = needed.data();
  request.n_epilogues = epilogues.size();
  request.epilogues = epilogues.data();
  request.training = mode_of(node, options);
  request.parameters_frozen = node.frozen;
  request.n_outputs = outputs.size();
  request.outputs = outputs.data();
  const bool is_quantized = !options.training && !node.layer->ranges.empty();
  if (is_quantized) PLAIT_TRY(check_ranges(*node.layer, network, node.inputs).at(place));
  const RangeArray ranges(node.layer->ranges, input_specs.size());
  if (is_quantized) request.int8_ranges = ranges.data();

  StepNeeds needs;
  const plait_layer_needs c_needs = needs_for(needs);
  CallContext context(options.lanes, options.parallel_for);
  context.set_device(options.device_ops, options.device, nullptr);
  KernelNotes notes(*node.layer->plugin.entry, options.device_id);
  context.set_extension(PLAIT_EXTENSION_KERNEL_NOTES, notes.raw());
  void* self = nullptr;
  PLAIT_TRY(context.status((*ops)->create(context.raw(), &request, &c_needs, &self)).at(place));
  LayerInstance instance(*ops, self);
  PLAIT_TRY(check_needs(needs).at(place));
  PLAIT_TRY(check_answers(needs, input_specs).at(place));
  if (is_quantized) PLAIT_TRY(check_takes(*node.layer, needs, options.device_id).at(place));
  return MadeLayer{std::move(instance), needs, notes.take()};
}

Result<MadeLoss> make_loss(const Registry& registry, const Network& network, const HeadInfo& head,
                           const CompileOptions& options) {
  const std::string place = "loss \"" + head.name + "\" (" + head.plugin->where.text() + ")";
  auto ops = registry.ops<plait_loss_ops>(head.plugin->id(), options.device_id);
  if (!ops) return ops.status().at(place);
  LossRequest request(network, head, options.training);
  CallContext context(options.lanes, options.parallel_for);
  context.set_device(options.device_ops, options.device, nullptr);
  void* self = nullptr;
  PLAIT_TRY(context.status((*ops)->create(context.raw(), request.raw(), &self)).at(place));
  LossInstance instance(*ops, self);
  const uint64_t workspace = request.raw()->workspace_bytes;
  PLAIT_TRY(check_bytes("the workspace takes", workspace).at(place));
  return MadeLoss{std::move(instance), workspace, request.raw()->repeats != 0};
}

LayerInstance::LayerInstance(LayerInstance&& other) noexcept
    : ops_(other.ops_), self_(std::exchange(other.self_, nullptr)) {}
LayerInstance::~LayerInstance() {
  if (self_ != nullptr && ops_->destroy != nullptr) ops_->destroy(self_);
}
LossInstance::LossInstance(LossInstance&& other) noexcept
    : ops_(other.ops_), self_(std::exchange(other.self_, nullptr)) {}
LossInstance::~LossInstance() {
  if (self_ != nullptr && ops_->destroy != nullptr) ops_->destroy(self_);
}

}  // namespace plait::inline plan
