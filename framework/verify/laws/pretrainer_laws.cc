// Laws of pretrainers.
#include <fmt/format.h>

#include "pipeline/load.h"
#include "verify/benches/pretrainer_bench.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

template <class Check>
Status for_each_pretrainer(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  Status refusal = skipped("create refuses what can be guessed");
  PLAIT_ASSIGN(const ToyNetwork* toy, toy_network(trial));
  int tried = 0;
  for (const Example& one : configs) {
    CallContext context;
    trial.doing("create, " + config_text(*one.config));
    auto pretrainer =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!pretrainer && !is_refusal(pretrainer.status())) return pretrainer.status().at("create");
    if (!pretrainer) {
      refusal = skipped("create: " + pretrainer.status().message());
      continue;
    }
    trial.doing("next_stage, " + config_text(*one.config));
    // A network that does not suit this configuration may be refused in words.
    if (const auto stages = all_stages(trial.registry(), *pretrainer, *toy, context);
        !stages && stages.status().code() != Code::kCorrupt) {
      if (!is_refusal(stages.status())) return stages.status();
      refusal = skipped("refuses the network: " + stages.status().message());
      continue;
    }
    PLAIT_TRY(check(*pretrainer, *toy).at(config_text(*one.config)));
    ++tried;
  }
  return tried > 0 ? Status() : refusal;
}

Status bounded(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork& toy) -> Status {
    CallContext context;
    PLAIT_ASSIGN(const Stages stages, all_stages(trial.registry(), pretrainer, toy, context));
    trial.remark(fmt::format("{} stages for 3 layers", stages.size()));
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork& toy) -> Status {
    CallContext context;
    PLAIT_ASSIGN(const Stages first, all_stages(trial.registry(), pretrainer, toy, context));
    PLAIT_ASSIGN(const Stages again, all_stages(trial.registry(), pretrainer, toy, context));
    return first == again
               ? Status()
               : broken("builds other stages when it is asked again: a resumed run would not be the same");
  });
}

// Children are the person's: which of them fits the network is not the pretrainer's to know.
bool has_children(const plait_config& config) {
  for (const ConfigField& field : config.fields)
    for (const ConfigValue& value : field.values)
      if (std::holds_alternative<std::shared_ptr<ConfigChild>>(value)) return true;
  return false;
}

// What is not said is the job's own: the toy has neither source nor optimizer.
Status builds(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork& toy) -> Status {
    CallContext context;
    PLAIT_ASSIGN(const Stages stages, all_stages(trial.registry(), pretrainer, toy, context));
    for (const auto& [title, text] : stages) {
      if (has_children(pretrainer.config())) continue;
      JobOptions options;
      options.for_training = false;
      trial.doing("stage " + title);
      auto job = parse_job(trial.registry(), text, title, options);
      if (!job) return job.status().at("stage \"" + title + "\"");
      if (job->layers.empty()) return broken("stage \"" + title + "\" has no layer");
      if (job->losses.empty()) return broken("stage \"" + title + "\" has no loss");
      PLAIT_TRY(connect_parts(*job, {"image"}).at("stage \"" + title + "\""));
      PLAIT_TRY(shape_network(*job, {{"image", PLAIT_F32, {12}}}, 8).status().at("stage \"" + title + "\""));
    }
    return {};
  });
}

Status empty_network(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork&) -> Status {
    const plait_stage_builder builder = no_stage_builder();
    const Network none;
    const PretrainRequest request(none, 0, 100);
    CallContext context;
    context.set_extension(PLAIT_EXTENSION_PRETRAIN_TASK, no_stage_tasks());
    // A refusal in words is as good as no stage.
    const Status status = context.call([&] {
      return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(),
                                                                request.raw(), &builder);
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
      {kKind, "bounded", Severity::kMust, "builds one stage at a time, and ends", bounded},
      {kKind, "same_again", Severity::kMust, "stages follow from the network alone", same_again},
      {kKind, "builds", Severity::kMust, "stages are jobs: layers that fit, and a loss", builds},
      {kKind, "empty_network", Severity::kMust, "a network without layers is no crash", empty_network},
  };
}

}  // namespace plait::inline verify
