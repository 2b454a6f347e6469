#include "train/pretrain.h"

#include <string>

#include "pipeline/load.h"
#include "pipeline/stage_text.h"
#include "plan/network_view.h"

namespace plait {

Pretraining::Pretraining(const Registry& registry, const Job& job, const Network& network,
                         int64_t steps_per_epoch, const std::atomic<bool>* cancelled)
    : registry_(registry),
      job_(with_inputs_named(job, network)),
      network_(network),
      steps_per_epoch_(steps_per_epoch),
      cancelled_(cancelled) {}

Result<std::unique_ptr<Pretraining>> Pretraining::create(const Registry& registry, const Job& job,
                                                         const Network& network, int64_t steps_per_epoch,
                                                         const std::atomic<bool>* cancelled) {
  std::unique_ptr<Pretraining> pretraining(
      new Pretraining(registry, job, network, steps_per_epoch, cancelled));
  for (const PluginSpec& spec : job.pretrain) {
    CallContext context(1, nullptr, cancelled);
    auto instance = create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context);
    if (!instance) return instance.status().at(spec.where.text());
    pretraining->pretrainers_.push_back(std::move(instance).value());
  }
  return pretraining;
}

Status Pretraining::ask(const StageText& stage) {
  const Instance& pretrainer = pretrainers_[current_];
  const PretrainRequest request(network_, stage_, steps_per_epoch_);
  CallContext context(1, nullptr, cancelled_);
  const Status said = context.call([&] {
    return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(), request.raw(),
                                                              stage.raw());
  });
  PLAIT_TRY(stage.refused());  // before what the plugin says of it: this one has the reason
  return said;
}

Result<std::optional<Job>> Pretraining::next() {
  for (; current_ < pretrainers_.size(); ++current_, stage_ = 0) {
    StageText stage(registry_, job_);
    PLAIT_TRY(ask(stage).at("pretrainer " + std::string(pretrainers_[current_].entry().type->id)));
    if (!stage.has_begun()) continue;
    stage_ += 1;
    PLAIT_ASSIGN(Job job, parse_stage(registry_, job_, stage.title(), stage.text()));
    return std::optional<Job>(std::move(job));
  }
  return std::optional<Job>();
}

}  // namespace plait
