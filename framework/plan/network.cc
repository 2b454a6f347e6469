#include "plan/network.h"

#include <plait/bf16.h>

#include <algorithm>
#include <map>

#include "base/checked.h"
#include "pipeline/load.h"
#include "plan/fusion.h"
#include "plan/infer_layer.h"
#include "plan/layer_order.h"
#include "plan/loss_request.h"
#include "plan/parameter_rules.h"
#include "registry/context.h"
#include "registry/ports.h"

namespace plait::inline plan {
namespace {

class Shaper {
 public:
  Shaper(const Job& job, const std::vector<PartSpec>& parts, int batch) : job_(job), connected_(job) {
    network_.name = job.name;
    network_.batch = batch;
    network_.precision = job.train.precision;
    for (size_t i = 0; i < parts.size(); ++i) add_part(parts[i], static_cast<int>(i));
  }

  Result<Network> run(bool fuse, bool functions) {
    PLAIT_TRY(check_parts());
    PLAIT_TRY(connect_parts(connected_, part_names()));
    PLAIT_ASSIGN(const std::vector<int> order, layer_order(job_));
    for (int layer : order) PLAIT_TRY(add_layer(static_cast<size_t>(layer)));
    for (size_t i = 0; i < job_.losses.size(); ++i) PLAIT_TRY(add_loss(i));
    for (size_t i = 0; i < job_.metrics.size(); ++i) PLAIT_TRY(add_metric(i));
    convert_answers();
    if (fuse) absorb_epilogues(network_, functions);
    return std::move(network_);
  }

 private:
  void add_part(const PartSpec& part, int number) {
    TensorInfo tensor;
    tensor.name = part.name;
    tensor.spec = with_batch(part, network_.batch);
    tensor.part = number;
    add_tensor(std::move(tensor));
  }

  Status check_parts() const {
    for (const TensorInfo& part : network_.tensors)
      PLAIT_TRY(check_bytes(
          job_.name + ": a batch of part \"" + part.name + "\" " + shape_text(part.spec) + " takes",
          byte_count(part.spec)));
    return {};
  }

  int add_tensor(TensorInfo tensor) {
    const int number = static_cast<int>(network_.tensors.size());
    by_name_[tensor.name] = number;
    network_.tensors.push_back(std::move(tensor));
    return number;
  }

  std::vector<std::string> part_names() const {
    std::vector<std::string> names;
    for (const TensorInfo& tensor : network_.tensors) names.push_back(tensor.name);
    return names;
  }

  // connect_parts has seen to it that layer or part exist.
  Result<int> find(const InputRef& ref) const {
    const std::string name = ref.output == 0 ? ref.layer : ref.layer + ":" + std::to_string(ref.output);
    auto found = by_name_.find(name);
    if (found != by_name_.end()) return found->second;
    return {Code::kInvalid, error_at(ref.where, "\"" + ref.layer + "\" has no output " +
                                                    std::to_string(ref.output) + outputs_text(ref.layer))};
  }

  // "; its outputs are (first, rest, ...)", where the layer tells them.
  std::string outputs_text(const std::string& name) const {
    const auto found = by_layer_.find(name);
    if (found == by_layer_.end()) return "";
    const LayerSpec& layer = *network_.nodes[static_cast<size_t>(found->second)].layer;
    const auto* rules = static_cast<const plait_layer_rules*>(layer.plugin.entry->type->rules);
    return PLAIT_HAS(rules, output_ports) ? "; its outputs are" + port_names(rules->output_ports) : "";
  }

  Status add_layer(size_t index) {
    const LayerSpec& layer = job_.layers[index];
    const std::string place = layer_place(layer);
    NodeInfo node;
    node.layer = &layer;
    for (const InputRef& ref : connected_.layers[index].inputs) {
      PLAIT_ASSIGN(const int tensor, find(ref));
      node.inputs.push_back(tensor);
    }
    auto inferred = infer_in_precision(node);
    if (!inferred)
      return Status(inferred.status().code(), inferred.status().message() + inputs_text(node)).at(place);
    const int number = static_cast<int>(network_.nodes.size());
    node.is_epilogue = inferred->is_epilogue;
    node.accepts = inferred->accepts;
    node.in_place = inferred->in_place;
    node.input_ranges = inferred->input_ranges;
    node.mirror = inferred->mirror;
    node.is_activation = inferred->is_activation || !inferred->is_epilogue.empty();
    node.measures = inferred->measures;
    node.multiply_adds = inferred->multiply_adds;
    add_outputs(node, number, layer, *inferred);
    PLAIT_TRY(add_parameters(node, number, layer, *inferred).at(place));
    by_layer_[layer.name] = number;
    network_.nodes.push_back(std::move(node));
    return {};
  }

  // ---- element types

  uint32_t dtype_of(int tensor) const { return network_.tensors[static_cast<size_t>(tensor)].spec.dtype; }
  static bool is_real(uint32_t dtype) { return dtype == PLAIT_F32 || dtype == PLAIT_BF16; }

  // The layer's answers for inputs of the type that the precision gives it; node.inputs become conversions
  // where they are of another.
  Result<InferredLayer> infer_in_precision(NodeInfo& node) {
    if (may_read_bf16(node)) {
      auto inferred = infer_layer(*node.layer, specs_in(node.inputs, PLAIT_BF16));
      if (inferred) {
        for (int& input : node.inputs) input = converted(input, PLAIT_BF16, *node.layer);
        return inferred;
      }
    }
    auto inferred = infer_layer(*node.layer, specs_in(node.inputs, PLAIT_F32));
    if (inferred)
      for (int& input : node.inputs) input = converted(input, PLAIT_F32, *node.layer);
    return inferred;
  }

  bool may_read_bf16(const NodeInfo& node) const {
    if (network_.precision != Precision::kBf16) return false;
    const uint32_t flags = node.layer->plugin.entry->type->flags;
    if ((flags & PLAIT_TYPE_WANTS_BF16) != 0) return true;
    return (flags & PLAIT_TYPE_TAKES_BF16) != 0 &&
           std::ranges::any_of(node.inputs, [&](int input) { return dtype_of(input) == PLAIT_BF16; });
  }

  std::vector<PartSpec> specs_in(const std::vector<int>& tensors, uint32_t dtype) const {
    std::vector<PartSpec> specs;
    for (const int tensor : tensors) {
      specs.push_back(network_.tensors[static_cast<size_t>(tensor)].spec);
      if (is_real(specs.back().dtype) && network_.precision == Precision::kBf16) specs.back().dtype = dtype;
    }
    return specs;
  }

  // The tensor in this type: itself, or what a step makes of it, once for all who read it so.
  int converted(int tensor, uint32_t dtype, const LayerSpec& reader) {
    const TensorInfo from = network_.tensors[static_cast<size_t>(tensor)];
    if (network_.precision != Precision::kBf16 || !is_real(from.spec.dtype) || from.spec.dtype == dtype)
      return tensor;
    const auto found = conversions_.find(tensor);
    if (found != conversions_.end()) return found->second;
    TensorInfo to = from;
    to.spec.dtype = dtype;
    to.part = -1;
    to.node = static_cast<int>(network_.nodes.size());
    for (int axis = 0; axis < 2; ++axis)
      if (to.spec.varying(axis) >= 0)
        to.extents[axis] = {.tensor = tensor, .axis = axis, .bound = to.spec.bound(axis)};
    NodeInfo node;
    node.layer = from.node < 0 ? &reader : network_.nodes[static_cast<size_t>(from.node)].layer;
    node.converts = true;
    node.inputs = {tensor};
    node.outputs = {static_cast<int>(network_.tensors.size())};
    network_.nodes.push_back(std::move(node));
    network_.tensors.push_back(std::move(to));
    return conversions_[tensor] = network_.nodes.back().outputs.front();
  }

  // Of what a loss or a metric reads.
  int in_f32(int tensor) {
    const int node = network_.tensors[static_cast<size_t>(tensor)].node;
    return node < 0 ? tensor : converted(tensor, PLAIT_F32, *network_.nodes[static_cast<size_t>(node)].layer);
  }

  // Whoever asks for the network's output, or for one that nobody reads, is given f32.
  void convert_answers() {
    if (network_.precision != Precision::kBf16) return;
    std::vector<bool> is_read(network_.tensors.size(), false);
    for (const NodeInfo& node : network_.nodes)
      for (const int input : node.inputs) is_read[static_cast<size_t>(input)] = true;
    if (!job_.layers.empty()) is_read[static_cast<size_t>(by_name_.at(job_.layers.back().name))] = false;
    for (size_t i = 0; i < is_read.size(); ++i)
      if (!is_read[i] && network_.tensors[i].node >= 0) in_f32(static_cast<int>(i));
  }

  // "hidden: ", where the layer tells what is read there.
  static std::string port_text(const LayerSpec& layer, size_t input) {
    const auto* rules = static_cast<const plait_layer_rules*>(layer.plugin.entry->type->rules);
    const plait_port* const port =
        PLAIT_HAS(rules, input_ports) ? port_at(rules->input_ports, input) : nullptr;
    return port != nullptr ? std::string(port->name) + ": " : "";
  }

  // "; its input is pool "p1" (file:3:1) [32, 5, 5, 16] f32"
  std::string inputs_text(const NodeInfo& node) const {
    std::string text;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorInfo& tensor = network_.tensors[static_cast<size_t>(node.inputs[i])];
      text += text.empty() ? "; its input is " : " and ";
      if (node.inputs.size() > 1) text += port_text(*node.layer, i);
      text += tensor.node < 0 ? "the samples' part \"" + tensor.name + "\""
                              : layer_place(*network_.nodes[static_cast<size_t>(tensor.node)].layer);
      text += " " + shape_text(tensor.spec);
    }
    return text;
  }

  void add_outputs(NodeInfo& node, int number, const LayerSpec& layer, const InferredLayer& inferred) {
    for (size_t i = 0; i < inferred.outputs.size(); ++i) {
      TensorInfo tensor;
      tensor.name = i == 0 ? layer.name : layer.name + ":" + std::to_string(i);
      tensor.spec = inferred.outputs[i];
      tensor.spec.name = tensor.name;
      tensor.node = number;
      for (const InferredExtent& one : inferred.extents) {
        if (one.output != i) continue;
        tensor.extents[one.axis] = one.source;
        tensor.extents[one.axis].tensor = node.inputs[static_cast<size_t>(one.source.tensor)];
      }
      node.outputs.push_back(add_tensor(std::move(tensor)));
    }
  }

  Status add_parameters(NodeInfo& node, int number, const LayerSpec& layer, const InferredLayer& inferred) {
    const NodeInfo* owner = nullptr;
    if (!layer.shares.empty()) {
      auto found = by_layer_.find(layer.shares);
      if (found == by_layer_.end())
        return {Code::kInvalid,
                "shares the parameters of \"" + layer.shares + "\", which is not a layer before it"};
      owner = &network_.nodes[static_cast<size_t>(found->second)];
      PLAIT_TRY(check_shared(*owner, inferred));
      node.parameters = owner->parameters;
    }
    if (owner == nullptr)
      for (const ParameterInfo& info : inferred.parameters) {
        PLAIT_ASSIGN(const int parameter, add_parameter(info, number, layer));
        node.parameters.push_back(parameter);
      }
    for (const ParameterInfo& info : inferred.buffers) {
      PLAIT_ASSIGN(const int buffer, add_parameter(info, number, layer));
      node.buffers.push_back(buffer);
    }
    return freeze(node, layer);
  }

  Result<int> add_parameter(ParameterInfo info, int number, const LayerSpec& layer) {
    PLAIT_TRY(take_init(layer, info));
    info.name = layer.name + "." + info.name;
    info.node = number;
    info.frozen = layer.frozen;
    info.rate_multiplier = layer.rate_multiplier;
    take_rules(job_.parameters, info);
    network_.parameters.push_back(std::move(info));
    return static_cast<int>(network_.parameters.size()) - 1;
  }

  // A layer's kernels compute the gradients of all its parameters or of none.
  Status freeze(NodeInfo& node, const LayerSpec& layer) const {
    node.frozen = layer.frozen;
    if (layer.frozen || node.parameters.empty()) return {};
    const auto frozen = [&](int number) { return network_.parameters[static_cast<size_t>(number)].frozen; };
    node.frozen = std::ranges::all_of(node.parameters, frozen);
    if (node.frozen || std::ranges::none_of(node.parameters, frozen)) return {};
    return {Code::kInvalid, frozen_in_part(job_.parameters, network_, node)};
  }

  Status check_shared(const NodeInfo& owner, const InferredLayer& inferred) const {
    bool same = owner.parameters.size() == inferred.parameters.size();
    for (size_t i = 0; same && i < inferred.parameters.size(); ++i)
      same =
          network_.parameters[static_cast<size_t>(owner.parameters[i])].shape == inferred.parameters[i].shape;
    if (same) return {};
    std::string got, wanted;
    for (const ParameterInfo& info : inferred.parameters)
      got += " " + info.name + " " + plait::shape_text(info.shape);
    for (int number : owner.parameters) {
      const ParameterInfo& info = network_.parameters[static_cast<size_t>(number)];
      wanted += " " + info.name + " " + plait::shape_text(info.shape);
    }
    return {Code::kInvalid, "needs" + got + " but shares" + wanted};
  }

  Status add_loss(size_t index) {
    const LossSpec& loss = job_.losses[index];
    const LossSpec& connected = connected_.losses[index];
    PLAIT_ASSIGN(HeadInfo head, make_head(loss.plugin, connected.inputs, connected.targets));
    if (!loss.name.empty()) head.name = loss.name;
    head.weight = loss.weight;
    const std::string place = loss.plugin.entry->short_name() + " (" + loss.plugin.where.text() + ")";
    if (connected.weights) {
      PLAIT_ASSIGN(head.weights, find(*connected.weights));
      head.weights = in_f32(head.weights);
      PLAIT_TRY(check_weights(head.weights).at(place));
    }
    PLAIT_TRY(check_head_axes(head).at(place));
    PLAIT_TRY(check_loss(head).at(place));
    network_.losses.push_back(std::move(head));
    return {};
  }

  Status add_metric(size_t index) {
    const MetricSpec& metric = connected_.metrics[index];
    PLAIT_ASSIGN(HeadInfo head, make_head(job_.metrics[index].plugin, {metric.input}, {metric.target}));
    head.values = &job_.metrics[index].values;
    head.names_later = job_.metrics[index].names_later;
    if (!head.values->empty()) head.name = head.values->front().name;
    PLAIT_TRY(
        check_head_axes(head).at(head.plugin->entry->short_name() + " (" + head.plugin->where.text() + ")"));
    network_.metrics.push_back(std::move(head));
    return {};
  }

  Result<HeadInfo> make_head(const PluginSpec& plugin, const std::vector<InputRef>& inputs,
                             const std::vector<InputRef>& targets) {
    HeadInfo head;
    head.plugin = &plugin;
    head.name = plugin.entry->short_name();
    for (const InputRef& ref : inputs) {
      PLAIT_ASSIGN(const int tensor, find(ref));
      head.inputs.push_back(in_f32(tensor));
    }
    for (const InputRef& ref : targets) {
      PLAIT_ASSIGN(const int tensor, find(ref));
      head.targets.push_back(in_f32(tensor));
    }
    return head;
  }

  Status check_head_axes(const HeadInfo& head) const {
    for (const int number : head.reads()) {
      const TensorInfo& tensor = network_.tensors[static_cast<size_t>(number)];
      PLAIT_TRY(check_second_axis(*head.plugin->entry->type, tensor.spec, "\"" + tensor.name + "\""));
    }
    return {};
  }

  Status check_weights(int tensor) const {
    const TensorInfo& weights = network_.tensors[static_cast<size_t>(tensor)];
    const bool one = element_count(weights.spec.shape) == static_cast<uint64_t>(network_.batch);
    if (one && weights.spec.dtype == PLAIT_F32 && weights.spec.variable_axis < 0) return {};
    return {Code::kInvalid, "its weights are part \"" + weights.name + "\" " + shape_text(weights.spec) +
                                ", wanted one number for each sample, f32"};
  }

  Status check_loss(const HeadInfo& head) const {
    const auto* rules = static_cast<const plait_loss_rules*>(head.plugin->entry->type->rules);
    if (!PLAIT_HAS(rules, check)) return {};
    LossRequest request(network_, head);
    CallContext context;
    const Status status = context.status(rules->check(context.raw(), request.raw()));
    if (status) return {};
    return {status.code(), status.message() + "; " + tensors_text("the prediction", head.inputs) +
                               (head.targets.empty() ? "" : ", " + tensors_text("the target", head.targets))};
  }

  // "the target is "label" [32] i32"
  std::string tensors_text(const std::string& what, const std::vector<int>& tensors) const {
    std::string text = what + (tensors.size() == 1 ? " is " : "s are ");
    for (size_t i = 0; i < tensors.size(); ++i) {
      const TensorInfo& tensor = network_.tensors[static_cast<size_t>(tensors[i])];
      text += (i > 0 ? ", \"" : "\"") + tensor.name + "\" " + shape_text(tensor.spec);
    }
    return text;
  }

  const Job& job_;
  Job connected_;  // with every input and target named
  Network network_;
  std::map<std::string, int> by_name_;
  std::map<std::string, int> by_layer_;
  std::map<int, int> conversions_;  // of a tensor into the one other type
};

}  // namespace

int32_t ExtentSource::operator()(int32_t extent) const {
  if (extent <= 0) return 0;
  const int64_t made = multiply * extent + add;
  return static_cast<int32_t>(std::clamp<int64_t>(made < 0 ? 0 : made / divide, 0, bound));
}

std::vector<int> HeadInfo::reads() const {
  std::vector<int> all = inputs;
  all.insert(all.end(), targets.begin(), targets.end());
  if (weights >= 0) all.push_back(weights);
  return all;
}

int Network::tensor(const std::string& wanted) const {
  int found = -1;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name != wanted) continue;
    if (found < 0) found = static_cast<int>(i);
    if (tensors[i].spec.dtype != PLAIT_BF16) return static_cast<int>(i);
  }
  return found;
}

int Network::unconverted(int tensor) const {
  const int node = tensors[static_cast<size_t>(tensor)].node;
  if (node < 0 || !nodes[static_cast<size_t>(node)].converts) return tensor;
  return nodes[static_cast<size_t>(node)].inputs.front();
}

std::string Network::step_name(int node) const {
  const NodeInfo& info = nodes[static_cast<size_t>(node)];
  if (!info.converts) return info.layer->name;
  const PartSpec& made = tensors[static_cast<size_t>(info.outputs.front())].spec;
  return made.name + " as " + dtype_name(made.dtype);
}

std::vector<PartSpec> specs_of(const Network& network, const std::vector<int>& tensors) {
  std::vector<PartSpec> specs;
  for (const int tensor : tensors) specs.push_back(network.tensors[static_cast<size_t>(tensor)].spec);
  return specs;
}

uint64_t Network::parameter_elements() const {
  uint64_t count = 0;
  for (const ParameterInfo& info : parameters)
    if (!info.buffer) count += info.elements;
  return count;
}

plait_epilogue Epilogue::c() const {
  plait_epilogue c = functions.value_or(plait_epilogue{});
  c.struct_size = sizeof c;
  c.name = name.c_str();
  c.alpha = alpha, c.beta = beta;
  return c;
}

Result<Network> shape_network(const Job& job, const std::vector<PartSpec>& parts, int batch, bool fuse,
                              bool functions) {
  return Shaper(job, parts, batch).run(fuse, functions);
}

}  // namespace plait::inline plan
