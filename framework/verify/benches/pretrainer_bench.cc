#include "verify/benches/pretrainer_bench.h"

#include <fmt/format.h>

#include "pipeline/load.h"
#include "pipeline/stage_text.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr uint32_t kMostStages = 200;
constexpr int kBatch = 8;

// `word` is a layer that takes [N, C] and has units.
std::string toy_text(const std::string& word) {
  std::string text;
  for (const auto& [name, units] : {std::pair{"d0", 8}, {"d1", 6}, {"d2", 4}})
    text += fmt::format("layer {{ name: \"{}\" {} {{ units: {} }} }}\n", name, word, units);
  return text;
}

Status build(const Registry& registry, const std::string& word, ToyNetwork& toy) {
  JobOptions options;
  options.for_training = false;
  PLAIT_ASSIGN(toy.job, parse_job(registry, toy_text(word), "toy network", options));
  const std::vector<PartSpec> parts = {{"image", PLAIT_F32, {12}}};
  PLAIT_TRY(connect_parts(toy.job, {"image"}));
  PLAIT_ASSIGN(toy.network, shape_network(toy.job, parts, kBatch));
  return {};
}

}  // namespace

Result<const ToyNetwork*> toy_network(Trial& trial) {
  static const auto toy = std::make_unique<ToyNetwork>();
  if (!toy->network.nodes.empty()) return toy.get();
  // The type that has a required field "units" stands for a fully connected layer.
  std::string id, word;
  for (const auto& [name, entry] : trial.registry().types()) {
    if (name.kind != kKindOf<plait_layer_ops>) continue;
    for (uint32_t i = 0; i < entry.type->n_fields; ++i)
      if (entry.type->fields[i]->name == std::string("units") && id.empty())
        id = name.id, word = entry.short_name();
  }
  if (id.empty()) return skipped("no layer with units is loaded, of which a network could be made");
  PLAIT_TRY(build(trial.registry(), word == id ? "[" + id + "]" : word, *toy));
  return toy.get();
}

Result<Stages> all_stages(const Registry& registry, const Instance& pretrainer, const ToyNetwork& toy,
                          CallContext& context) {
  Stages stages;
  for (uint32_t n = 0; n <= kMostStages; ++n) {
    const PretrainRequest request(toy.network, n, 100);
    const StageText stage(registry, toy.job);
    context.set_extension(PLAIT_EXTENSION_PRETRAIN_TASK, StageText::tasks());
    const Status said = context.call([&] {
      return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(),
                                                                request.raw(), stage.raw());
    });
    if (!stage.refused())
      return Status(Code::kCorrupt, "builds what no stage can be: " + stage.refused().message());
    PLAIT_TRY(said.at("next_stage"));
    if (!stage.has_begun()) return stages;
    stages.emplace_back(stage.title(), stage.text());
  }
  return Status(Code::kCorrupt, fmt::format("has built {} stages and goes on", kMostStages));
}

const plait_pretrain_task* no_stage_tasks() {
  static const plait_pretrain_task tasks = {
      sizeof tasks, 0, [](const plait_stage_builder*, const plait_block*) { return int{PLAIT_OK}; },
      [](const plait_stage_builder*, const char*, const plait_block*) { return int{PLAIT_OK}; },
      [](const plait_stage_builder*, const char*, const char*, const char*) { return int{PLAIT_OK}; }};
  return &tasks;
}

plait_stage_builder no_stage_builder() {
  plait_stage_builder b{};
  b.struct_size = sizeof b;
  b.begin = [](const plait_stage_builder*, const char*) { return int{PLAIT_OK}; };
  b.copy = [](const plait_stage_builder*, const plait_layer_copy*) { return int{PLAIT_OK}; };
  b.layer = [](const plait_stage_builder*, const char*, uint32_t, const char* const*, const plait_block*) {
    return int{PLAIT_OK};
  };
  b.corrupt = [](const plait_stage_builder*, const char*, const char*, const char*, double) {
    return int{PLAIT_OK};
  };
  b.loss = [](const plait_stage_builder*, const char*, const char*, double, const plait_block*) {
    return int{PLAIT_OK};
  };
  b.optimizer = [](const plait_stage_builder*, const plait_block*) { return int{PLAIT_OK}; };
  b.epochs = [](const plait_stage_builder*, double) { return int{PLAIT_OK}; };
  b.steps = [](const plait_stage_builder*, int64_t) { return int{PLAIT_OK}; };
  return b;
}

}  // namespace plait::inline verify
