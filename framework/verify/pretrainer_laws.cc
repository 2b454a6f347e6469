// Laws of pretrainers.
#include <fmt/format.h>

#include "pipeline/load.h"
#include "verify/config_samples.h"
#include "verify/law.h"
#include "verify/samples.h"

namespace plait {
namespace {

constexpr uint32_t kMostStages = 200;

// A chain of layers that exist: a type that takes [N, C] and has parameters, chosen by asking all of them.
struct Toy {
  std::vector<std::string> names, texts;
  std::vector<plait_tensor_spec> inputs, outputs;
  std::vector<const char*> reads;
  std::vector<plait_network_layer> layers;
  std::vector<const plait_network_layer*> pointers;
};

int keep_nothing(const plait_stage_builder*, plait_str, plait_str) { return PLAIT_OK; }

struct Stages {
  std::vector<std::pair<std::string, std::string>> all;
};

int keep(const plait_stage_builder* builder, plait_str title, plait_str text) {
  static_cast<Stages*>(builder->host_data)
      ->all.emplace_back(std::string(title.data, title.size), std::string(text.data, text.size));
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
void build(Toy& toy, const std::string& id, const std::string& word) {
  const int64_t widths[] = {12, 8, 6, 4};
  for (size_t i = 0; i < 3; ++i) {
    toy.names.push_back(fmt::format("d{}", i));
    toy.inputs.push_back(flat(widths[i])), toy.outputs.push_back(flat(widths[i + 1]));
    toy.texts.push_back(fmt::format("layer {{ name: \"d{}\" {} {{ units: {} }} }}", i, word, widths[i + 1]));
  }
  for (size_t i = 0; i < 3; ++i) {
    plait_network_layer layer{};
    layer.struct_size = sizeof layer;
    layer.n_parameters = 2;
    layer.name = toy.names[i].c_str(), layer.type_id = id.c_str(), layer.text = toy.texts[i].c_str();
    layer.input = &toy.inputs[i], layer.output = &toy.outputs[i];
    toy.reads.push_back(i == 0 ? "image" : toy.names[i - 1].c_str());
    layer.n_inputs = 1;
    toy.layers.push_back(layer);
  }
  for (size_t i = 0; i < 3; ++i) toy.layers[i].inputs = &toy.reads[i], toy.pointers.push_back(&toy.layers[i]);
}

plait_pretrain_request request_for(const Toy& toy, uint32_t stage) {
  plait_pretrain_request request{};
  request.struct_size = sizeof request;
  request.n_layers = static_cast<uint32_t>(toy.pointers.size());
  request.layers = toy.pointers.data();
  request.stage = stage;
  request.steps_per_epoch = 100;
  return request;
}

bool is_silent(const Status& status) { return status.message().find("gave no reason") != std::string::npos; }

// Fails with: kCorrupt when the stages break the law; else what next_stage reports.
Result<Stages> all_stages(const Instance& pretrainer, const Toy& toy) {
  Stages stages;
  plait_stage_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &stages;
  builder.stage = keep;
  for (uint32_t n = 0; n <= kMostStages; ++n) {
    const auto request = request_for(toy, n);
    const size_t before = stages.all.size();
    CallContext context;
    PLAIT_TRY(context
                  .call([&] {
                    return pretrainer.ops<plait_pretrainer_ops>()->next_stage(
                        pretrainer.self(), context.raw(), &request, &builder);
                  })
                  .at("next_stage"));
    if (stages.all.size() == before) return stages;
    if (stages.all.size() > before + 1)
      return Status(Code::kCorrupt, fmt::format("emits {} stages in answer to number {}, wanted at most one",
                                                stages.all.size() - before, n));
  }
  return Status(Code::kCorrupt, fmt::format("has emitted {} stages and goes on", kMostStages));
}

template <class Check>
Status for_each_pretrainer(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  Status refusal = skipped("create refuses what can be guessed");
  // The type that has a required field "units" stands for a fully connected layer.
  std::string id, word;
  for (const auto& [name, entry] : trial.registry().types()) {
    if (std::string(entry.type->kind) != "layer") continue;
    for (uint32_t i = 0; i < entry.type->n_fields; ++i)
      if (entry.type->fields[i]->name == std::string("units") && id.empty())
        id = name, word = entry.short_name();
  }
  if (id.empty()) return skipped("no layer with units is loaded, of which a network could be made");
  Toy toy;
  build(toy, id, word == id ? "[" + id + "]" : word);
  int tried = 0;
  for (const Example& one : configs) {
    CallContext context;
    trial.doing("create, " + config_text(*one.config));
    auto pretrainer =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!pretrainer) {
      refusal = skipped("create: " + pretrainer.status().message());
      continue;
    }
    trial.doing("next_stage, " + config_text(*one.config));
    // A network that does not suit this configuration may be refused in words.
    if (const auto stages = all_stages(*pretrainer, toy);
        !stages && stages.status().code() != Code::kCorrupt) {
      if (is_silent(stages.status())) return stages.status();
      refusal = skipped("refuses the network: " + stages.status().message());
      continue;
    }
    PLAIT_TRY(check(*pretrainer, toy).at(config_text(*one.config)));
    ++tried;
  }
  return tried > 0 ? Status() : refusal;
}

Status bounded(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const Toy& toy) -> Status {
    PLAIT_ASSIGN(const Stages stages, all_stages(pretrainer, toy));
    trial.remark(fmt::format("{} stages for 3 layers", stages.all.size()));
    for (const auto& [title, text] : stages.all)
      if (title.empty() || text.empty()) return broken("emits a stage without title or text");
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const Toy& toy) -> Status {
    PLAIT_ASSIGN(const Stages first, all_stages(pretrainer, toy));
    PLAIT_ASSIGN(const Stages again, all_stages(pretrainer, toy));
    return first.all == again.all
               ? Status()
               : broken("emits other stages when it is asked again: a resumed run would not be the same");
  });
}

Status parses(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const Toy& toy) -> Status {
    PLAIT_ASSIGN(const Stages stages, all_stages(pretrainer, toy));
    for (const auto& [title, text] : stages.all) {
      JobOptions options;
      options.for_training = false;
      trial.doing("stage " + title);
      PLAIT_TRY(parse_job(trial.registry(), text, title, options).status().at("stage \"" + title + "\""));
    }
    return {};
  });
}

Status empty_network(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const Toy&) -> Status {
    plait_stage_builder builder{};
    builder.struct_size = sizeof builder;
    builder.stage = keep_nothing;
    const Toy none;
    const auto request = request_for(none, 0);
    CallContext context;
    // A refusal in words is as good as no stage.
    const Status status = context.call([&] {
      return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(), &request,
                                                                &builder);
    });
    return status.message().find("gave no reason") == std::string::npos
               ? Status()
               : broken("refuses an empty network without saying why");
  });
}

}  // namespace

std::vector<Law> pretrainer_laws() {
  constexpr const char* kKind = "pretrainer";
  return {
      {kKind, "bounded", Severity::kMust, "emits one stage at a time, and ends", bounded},
      {kKind, "same_again", Severity::kMust, "stages follow from the network alone", same_again},
      {kKind, "parses", Severity::kMust, "stages are pipeline text", parses},
      {kKind, "empty_network", Severity::kMust, "a network without layers is no crash", empty_network},
  };
}

}  // namespace plait
