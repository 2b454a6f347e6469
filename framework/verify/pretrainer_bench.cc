#include "verify/pretrainer_bench.h"

#include <fmt/format.h>

#include "verify/law.h"

namespace plait {
namespace {

constexpr uint32_t kMostStages = 200;

int keep(const plait_stage_builder* builder, plait_str title, plait_str text) {
  static_cast<Stages*>(builder->host_data)
      ->emplace_back(std::string(title.data, title.size), std::string(text.data, text.size));
  return PLAIT_OK;
}

plait_tensor_spec flat(int64_t width) {
  plait_tensor_spec spec{};
  spec.struct_size = sizeof spec;
  spec.dtype = PLAIT_F32;
  spec.rank = 2;
  spec.variable_axis = -1;
  spec.shape[0] = 8, spec.shape[1] = width;
  return spec;
}

// `type` is any layer: pretrainers see names, types and shapes.
void build(ToyNetwork& toy, const std::string& id, const std::string& word) {
  const int64_t widths[] = {12, 8, 6, 4};
  toy.type_id = id;
  for (size_t i = 0; i < 3; ++i) {
    toy.names.push_back(fmt::format("d{}", i));
    toy.inputs.push_back(flat(widths[i])), toy.outputs.push_back(flat(widths[i + 1]));
    toy.texts.push_back(fmt::format("layer {{ name: \"d{}\" {} {{ units: {} }} }}", i, word, widths[i + 1]));
  }
  for (size_t i = 0; i < 3; ++i) {
    plait_network_layer layer{};
    layer.struct_size = sizeof layer;
    layer.n_parameters = 2;
    layer.name = toy.names[i].c_str(), layer.type_id = toy.type_id.c_str(), layer.text = toy.texts[i].c_str();
    layer.input = &toy.inputs[i], layer.output = &toy.outputs[i];
    toy.reads.push_back(i == 0 ? "image" : toy.names[i - 1].c_str());
    layer.n_inputs = 1;
    toy.layers.push_back(layer);
  }
  for (size_t i = 0; i < 3; ++i) toy.layers[i].inputs = &toy.reads[i], toy.pointers.push_back(&toy.layers[i]);
}

}  // namespace

plait_pretrain_request request_for(const ToyNetwork& toy, uint32_t stage) {
  plait_pretrain_request request{};
  request.struct_size = sizeof request;
  request.n_layers = static_cast<uint32_t>(toy.pointers.size());
  request.layers = toy.pointers.data();
  request.stage = stage;
  request.steps_per_epoch = 100;
  return request;
}

Result<const ToyNetwork*> toy_network(Trial& trial) {
  static ToyNetwork toy;
  if (!toy.layers.empty()) return &toy;
  // The type that has a required field "units" stands for a fully connected layer.
  std::string id, word;
  for (const auto& [name, entry] : trial.registry().types()) {
    if (std::string(entry.type->kind) != "layer") continue;
    for (uint32_t i = 0; i < entry.type->n_fields; ++i)
      if (entry.type->fields[i]->name == std::string("units") && id.empty())
        id = name, word = entry.short_name();
  }
  if (id.empty()) return skipped("no layer with units is loaded, of which a network could be made");
  build(toy, id, word == id ? "[" + id + "]" : word);
  return &toy;
}

Result<Stages> all_stages(const Instance& pretrainer, const ToyNetwork& toy, CallContext& context) {
  Stages stages;
  plait_stage_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &stages;
  builder.stage = keep;
  for (uint32_t n = 0; n <= kMostStages; ++n) {
    const auto request = request_for(toy, n);
    const size_t before = stages.size();
    PLAIT_TRY(context
                  .call([&] {
                    return pretrainer.ops<plait_pretrainer_ops>()->next_stage(
                        pretrainer.self(), context.raw(), &request, &builder);
                  })
                  .at("next_stage"));
    if (stages.size() == before) return stages;
    if (stages.size() > before + 1)
      return Status(Code::kCorrupt, fmt::format("emits {} stages in answer to number {}, wanted at most one",
                                                stages.size() - before, n));
  }
  return Status(Code::kCorrupt, fmt::format("has emitted {} stages and goes on", kMostStages));
}

}  // namespace plait
