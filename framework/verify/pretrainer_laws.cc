// Laws of pretrainers.
#include <fmt/format.h>

#include "pipeline/load.h"
#include "verify/config_samples.h"
#include "verify/law.h"
#include "verify/pretrainer_bench.h"

namespace plait {
namespace {

int keep_nothing(const plait_stage_builder*, plait_str, plait_str) { return PLAIT_OK; }

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
    if (const auto stages = all_stages(*pretrainer, *toy, context);
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
    PLAIT_ASSIGN(const Stages stages, all_stages(pretrainer, toy, context));
    trial.remark(fmt::format("{} stages for 3 layers", stages.size()));
    for (const auto& [title, text] : stages)
      if (title.empty() || text.empty()) return broken("emits a stage without title or text");
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork& toy) -> Status {
    CallContext context;
    PLAIT_ASSIGN(const Stages first, all_stages(pretrainer, toy, context));
    PLAIT_ASSIGN(const Stages again, all_stages(pretrainer, toy, context));
    return first == again
               ? Status()
               : broken("emits other stages when it is asked again: a resumed run would not be the same");
  });
}

Status parses(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork& toy) -> Status {
    CallContext context;
    PLAIT_ASSIGN(const Stages stages, all_stages(pretrainer, toy, context));
    for (const auto& [title, text] : stages) {
      JobOptions options;
      options.for_training = false;
      trial.doing("stage " + title);
      PLAIT_TRY(parse_job(trial.registry(), text, title, options).status().at("stage \"" + title + "\""));
    }
    return {};
  });
}

Status empty_network(Trial& trial) {
  return for_each_pretrainer(trial, [&](const Instance& pretrainer, const ToyNetwork&) -> Status {
    plait_stage_builder builder{};
    builder.struct_size = sizeof builder;
    builder.stage = keep_nothing;
    const ToyNetwork none;
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
