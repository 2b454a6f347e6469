#include "plan/infer_layer.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/shown.h"
#include "registry/context.h"
#include "registry/ports.h"
#include "registry/shape_text.h"

namespace plait::inline plan {
namespace {

// What the builder's functions write to. A refused answer is kept: the plugin may ignore PLAIT_FAILED.
struct Answers {
  InferredLayer layer;
  Status refused;
  const std::vector<PartSpec>& inputs;

  int refuse(const std::string& text) {
    if (refused) refused = {Code::kPlugin, text};
    return PLAIT_FAILED;
  }
};

Answers& answers(const plait_layer_builder* builder) { return *static_cast<Answers*>(builder->host_data); }

// Of one axis of outputs and parameters: libraries of kernels count some of them in 32 bits.
constexpr int64_t kMostExtent = (int64_t{1} << 31) - 1;

// Empty when the shape is one that a tensor can have.
std::string take_shape(int32_t rank, const int64_t* extents, std::vector<int64_t>& shape) {
  if (rank < 0 || rank > PLAIT_MAX_RANK) return "of " + std::to_string(rank) + " axes";
  shape.assign(extents, extents + rank);
  int64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 0) return shape_text(shape) + ", with an extent below 0";
    if (extent > kMostExtent)
      return shape_text(shape) + ", with an extent of " + std::to_string(extent) + ", wanted at most " +
             std::to_string(kMostExtent);
    if (extent > 0 && elements > kMostTensorElements / extent)
      return shape_text(shape) + ", of more elements than any memory holds";
    elements *= extent;
  }
  return "";
}

int output(const plait_layer_builder* builder, const plait_tensor_spec* spec) {
  PartSpec out;
  const std::string wrong = take_shape(spec->rank, spec->shape, out.shape);
  if (!wrong.empty()) return answers(builder).refuse("declares an output " + wrong);
  out.dtype = spec->dtype ? spec->dtype : static_cast<uint32_t>(PLAIT_F32);
  if (spec->variable_axis < -1 || spec->variable_axis >= spec->rank)
    return answers(builder).refuse("declares an output " + shape_text(out.shape) + " whose axis " +
                                   std::to_string(spec->variable_axis) + " varies");
  out.variable_axis = spec->variable_axis;
  const auto second = second_axis_of(*spec, "declares an output");
  if (!second) return answers(builder).refuse(second.status().message());
  out.second_axis = *second;
  answers(builder).layer.outputs.push_back(out);
  return PLAIT_OK;
}

// Empty when a value may be combined so. `before`: what was declared just before it, or null.
std::string wrong_rule(const ParameterInfo& info, const ParameterInfo* before) {
  if (info.reduce > PLAIT_REDUCE_VARIANCE) return "with the unknown rule " + std::to_string(info.reduce);
  if (info.reduce != PLAIT_REDUCE_VARIANCE) return "";
  if (!info.buffer) return "as a variance, which only a buffer can be";
  const bool about_mean = before != nullptr && before->shape == info.shape &&
                          (before->reduce == PLAIT_REDUCE_MEAN32 || before->reduce == PLAIT_REDUCE_MEAN64);
  return about_mean ? "" : "as a variance, without a buffer of means of its shape just before it";
}

int declare(const plait_layer_builder* builder, const plait_parameter_spec* spec, bool buffer) {
  ParameterInfo info;
  Answers& all = answers(builder);
  info.name = spec->name ? spec->name : "";
  if (info.name.empty()) return all.refuse("declares a parameter without a name");
  if (const Status good = check_name(info.name, "the name"); !good)
    return all.refuse("declares a parameter: " + good.message());
  const std::string wrong = take_shape(spec->rank, spec->shape, info.shape);
  if (!wrong.empty()) return all.refuse("declares \"" + info.name + "\" " + wrong);
  info.elements = element_count(info.shape);
  info.init = spec->init ? spec->init : "zeros";
  info.init_a = spec->init_a, info.init_b = spec->init_b;
  info.fan_in = spec->fan_in, info.fan_out = spec->fan_out;
  info.flags = spec->flags;
  if (spec->reduce) info.reduce = spec->reduce;
  info.buffer = buffer;
  std::vector<ParameterInfo>& list = buffer ? all.layer.buffers : all.layer.parameters;
  info.index = static_cast<int>(list.size());
  const std::string rule = wrong_rule(info, list.empty() ? nullptr : &list.back());
  if (!rule.empty()) return all.refuse("declares \"" + info.name + "\" " + rule);
  list.push_back(info);
  return PLAIT_OK;
}

int parameter(const plait_layer_builder* b, const plait_parameter_spec* spec) {
  return declare(b, spec, false);
}
int buffer(const plait_layer_builder* b, const plait_parameter_spec* spec) { return declare(b, spec, true); }
void multiply_adds(const plait_layer_builder* b, double count) { answers(b).layer.multiply_adds = count; }
void is_epilogue(const plait_layer_builder* b, const plait_epilogue* e) {
  Epilogue epilogue{e->name, e->alpha, e->beta, {}};
  const bool is_whole = e->struct_size >= offsetof(plait_epilogue, data) + sizeof e->data;
  if (is_whole && PLAIT_HAS(e, forward) && PLAIT_HAS(e, backward)) {
    std::memcpy(&epilogue.functions.emplace(), e, std::min<size_t>(e->struct_size, sizeof *e));
  }
  answers(b).layer.is_epilogue.assign(1, std::move(epilogue));
}
void accepts_epilogue(const plait_layer_builder* b, const char* name) {
  answers(b).layer.accepts.push_back(name);
}
void in_place(const plait_layer_builder* b) { answers(b).layer.in_place = true; }
int input_range(const plait_layer_builder* b, uint32_t input, int64_t low, int64_t high) {
  Answers& all = answers(b);
  if (input >= all.inputs.size())
    return all.refuse("gives a range for input " + std::to_string(input) + " of " +
                      std::to_string(all.inputs.size()));
  if (low >= high) return all.refuse("gives input " + std::to_string(input) + " a range without numbers");
  all.layer.input_ranges.push_back({input, low, high});
  return PLAIT_OK;
}

int mirror(const plait_layer_builder* b, const plait_block* block) {
  Answers& all = answers(b);
  if (!all.layer.mirror.empty()) return all.refuse("gives a second mirror");
  auto made = block_of(*block);
  if (!made) return all.refuse("its mirror " + made.status().message());
  all.layer.mirror.push_back(std::move(made).value());
  return PLAIT_OK;
}

// Number of the variable axis that `axis` is, or -1.
int variable_number(const PartSpec& spec, int axis) {
  if (axis < 0) return -1;
  return axis == spec.variable_axis ? 0 : axis == spec.second_axis ? 1 : -1;
}

// Small enough that no extent overflows.
bool is_acceptable(const plait_extent_rule& rule) {
  constexpr int64_t kMostFactor = int64_t{1} << 20, kMostAdded = int64_t{1} << 40;
  return rule.multiply >= 1 && rule.multiply <= kMostFactor && rule.divide >= 1 &&
         rule.divide <= kMostFactor && rule.add >= -kMostAdded && rule.add <= kMostAdded;
}

int extent(const plait_layer_builder* b, const plait_extent_rule* rule) {
  Answers& all = answers(b);
  const std::string place = "says how far samples reach along axis " + std::to_string(rule->axis) +
                            " of output " + std::to_string(rule->output);
  if (rule->output >= all.layer.outputs.size() || rule->input >= all.inputs.size())
    return all.refuse(place + " from input " + std::to_string(rule->input) + ": one of them is not there");
  const PartSpec& output = all.layer.outputs[rule->output];
  const PartSpec& input = all.inputs[rule->input];
  InferredExtent made{rule->output, variable_number(output, rule->axis), {}};
  made.source.tensor = static_cast<int>(rule->input);
  made.source.axis = variable_number(input, rule->input_axis);
  if (made.axis < 0 || made.source.axis < 0)
    return all.refuse(place + " from axis " + std::to_string(rule->input_axis) + " of input " +
                      std::to_string(rule->input) + ": wanted axes that vary");
  if (!is_acceptable(*rule)) return all.refuse(place + " by numbers that no extent needs");
  made.source.multiply = rule->multiply, made.source.add = rule->add, made.source.divide = rule->divide;
  made.source.bound = output.bound(made.axis);
  const int64_t all_of_it = input.bound(made.source.axis);
  if (all_of_it > INT32_MAX)
    return all.refuse(place + " from an extent of " + std::to_string(all_of_it) + ", wanted at most " +
                      std::to_string(INT32_MAX));
  const int64_t whole = (rule->multiply * all_of_it + rule->add) / rule->divide;
  if (whole != made.source.bound)
    return all.refuse(place + ": of the input's " + std::to_string(all_of_it) + " the rule makes " +
                      std::to_string(whole) + ", but the output has " + std::to_string(made.source.bound));
  all.layer.extents.push_back(made);
  return PLAIT_OK;
}

void activation(const plait_layer_builder* b) { answers(b).layer.is_activation = true; }
void measures(const plait_layer_builder* b) { answers(b).layer.measures = true; }

plait_layer_builder builder_for(Answers& all) {
  plait_layer_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &all;
  builder.output = output;
  builder.parameter = parameter;
  builder.buffer = buffer;
  builder.multiply_adds = multiply_adds;
  builder.is_epilogue = is_epilogue;
  builder.accepts_epilogue = accepts_epilogue;
  builder.in_place = in_place;
  builder.input_range = input_range;
  builder.mirror = mirror;
  builder.activation = activation;
  builder.extent = extent;
  builder.measures = measures;
  return builder;
}

Status check_input_count(const plait_layer_rules& rules, size_t got) {
  if (got >= rules.min_inputs && got <= rules.max_inputs) return {};
  std::string wanted = std::to_string(rules.min_inputs);
  if (rules.max_inputs == UINT32_MAX)
    wanted = "at least " + wanted;
  else if (rules.max_inputs != rules.min_inputs)
    wanted += " to " + std::to_string(rules.max_inputs);
  const plait_layer_rules* const table = &rules;
  if (PLAIT_HAS(table, input_ports)) wanted += port_names(rules.input_ports);
  return {Code::kInvalid, "has " + std::to_string(got) + " inputs, wanted " + wanted};
}

// The same axis of the first input that varies along it with the same bound, else the first variable axis of
// that bound. Empty where there is none.
std::vector<ExtentSource> usual_source(const std::vector<PartSpec>& inputs, const PartSpec& output, int k) {
  ExtentSource source;
  source.bound = output.bound(k);
  for (const bool same_axis : {true, false}) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      for (int j = 0; j < 2; ++j) {
        if (inputs[i].varying(j) < 0 || inputs[i].bound(j) != source.bound) continue;
        if (same_axis && inputs[i].varying(j) != output.varying(k)) continue;
        source.tensor = static_cast<int>(i), source.axis = j;
        return {source};
      }
    }
  }
  return {};
}

// Of the axes of which the layer says nothing.
void add_usual_sources(InferredLayer& layer, const std::vector<PartSpec>& inputs) {
  for (size_t i = 0; i < layer.outputs.size(); ++i) {
    for (int k = 0; k < 2; ++k) {
      const auto is_said = [&](const InferredExtent& e) { return e.output == i && e.axis == k; };
      if (layer.outputs[i].varying(k) < 0 || std::ranges::any_of(layer.extents, is_said)) continue;
      for (const ExtentSource& source : usual_source(inputs, layer.outputs[i], k))
        layer.extents.push_back({i, k, source});
    }
  }
}

}  // namespace

Result<InferredLayer> infer_layer(const LayerSpec& layer, const std::vector<PartSpec>& inputs) {
  const plait_type& type = *layer.plugin.entry->type;
  const auto* rules = static_cast<const plait_layer_rules*>(type.rules);
  if (!PLAIT_HAS(rules, infer)) return {Code::kPlugin, "has no rules for its shapes"};
  PLAIT_TRY(check_input_count(*rules, inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i)
    PLAIT_TRY(check_second_axis(type, inputs[i], "input " + std::to_string(i)));

  const RawParts specs(inputs);
  plait_layer_request request{};
  request.struct_size = sizeof request;
  request.n_inputs = specs.size();
  request.config = layer.plugin.config.get();
  request.inputs = specs.data();
  Answers all{{}, {}, inputs};
  const plait_layer_builder builder = builder_for(all);
  CallContext context;
  const Status said = context.status(rules->infer(context.raw(), &request, &builder));
  PLAIT_TRY(all.refused);  // before what the plugin says of it: this one has the reason
  PLAIT_TRY(said);
  if (all.layer.outputs.empty()) return {Code::kPlugin, "declares no output"};
  add_usual_sources(all.layer, inputs);
  return std::move(all.layer);
}

}  // namespace plait::inline plan
