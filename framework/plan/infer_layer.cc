#include "plan/infer_layer.h"

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
  size_t inputs = 0;

  int refuse(const std::string& text) {
    if (refused) refused = {Code::kPlugin, text};
    return PLAIT_FAILED;
  }
};

Answers& answers(const plait_layer_builder* builder) { return *static_cast<Answers*>(builder->host_data); }

// Empty when the shape is one that a tensor can have.
std::string take_shape(int32_t rank, const int64_t* extents, std::vector<int64_t>& shape) {
  if (rank < 0 || rank > PLAIT_MAX_RANK) return "of " + std::to_string(rank) + " axes";
  shape.assign(extents, extents + rank);
  int64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 0) return shape_text(shape) + ", with an extent below 0";
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
  out.variable_axis = spec->variable_axis;
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
  answers(b).layer.is_epilogue.assign(1, {e->name, e->alpha, e->beta});
}
void accepts_epilogue(const plait_layer_builder* b, const char* name) {
  answers(b).layer.accepts.push_back(name);
}
void in_place(const plait_layer_builder* b) { answers(b).layer.in_place = true; }
int input_range(const plait_layer_builder* b, uint32_t input, int64_t low, int64_t high) {
  Answers& all = answers(b);
  if (input >= all.inputs)
    return all.refuse("gives a range for input " + std::to_string(input) + " of " +
                      std::to_string(all.inputs));
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
void activation(const plait_layer_builder* b) { answers(b).layer.is_activation = true; }

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

}  // namespace

Result<InferredLayer> infer_layer(const LayerSpec& layer, const std::vector<PartSpec>& inputs) {
  const plait_type& type = *layer.plugin.entry->type;
  const auto* rules = static_cast<const plait_layer_rules*>(type.rules);
  if (!PLAIT_HAS(rules, infer)) return {Code::kPlugin, "has no rules for its shapes"};
  PLAIT_TRY(check_input_count(*rules, inputs.size()));

  const RawParts specs(inputs);
  plait_layer_request request{};
  request.struct_size = sizeof request;
  request.n_inputs = specs.size();
  request.config = layer.plugin.config.get();
  request.inputs = specs.data();
  Answers all;
  all.inputs = inputs.size();
  const plait_layer_builder builder = builder_for(all);
  CallContext context;
  const Status said = context.status(rules->infer(context.raw(), &request, &builder));
  PLAIT_TRY(all.refused);  // before what the plugin says of it: this one has the reason
  PLAIT_TRY(said);
  if (all.layer.outputs.empty()) return {Code::kPlugin, "declares no output"};
  return std::move(all.layer);
}

}  // namespace plait::inline plan
