#include "train/pretrain.h"

#include <algorithm>
#include <string>

#include "pipeline/load.h"
#include "pipeline/stage_text.h"
#include "plan/network_view.h"
#include "train/sample_order.h"

namespace plait::inline train {

Result<std::unique_ptr<PretrainSources>> PretrainSources::open(const Registry& registry, const Job& job) {
  std::unique_ptr<PretrainSources> sources(new PretrainSources(job));
  for (const PretrainSpec& spec : job.pretrain) {
    auto& reader = sources->readers_.emplace_back();
    if (!spec.source) continue;
    SampleReader::Options options;
    options.records_before = kRecordsBefore;
    PLAIT_ASSIGN(reader, SampleReader::create(registry, spec.source, options));
    if (reader->records() < 1)
      return Status(Code::kInvalid, error_at(spec.source.where, "the source has no records"));
  }
  return sources;
}

std::vector<PlacedReader> PretrainSources::readers() const {
  std::vector<PlacedReader> readers;
  for (size_t i = 0; i < readers_.size(); ++i)
    if (readers_[i] != nullptr)
      readers.push_back({"pretrain[" + std::to_string(i) + "].source", readers_[i].get()});
  return readers;
}

int64_t PretrainSources::steps_per_epoch(size_t pretrainer, int64_t otherwise) const {
  if (readers_[pretrainer] == nullptr) return otherwise;
  const double fraction = job_.validation ? 0 : job_.validation_fraction;
  const int64_t records = RecordSplit(job_.seed, readers_[pretrainer]->records(), fraction).training_count();
  return std::max<int64_t>(1,
                           records / (int64_t{job_.train.shards} * job_.train.batch * job_.train.accumulate));
}

Pretraining::Pretraining(const Registry& registry, const Job& job, const Network& network,
                         const PretrainSources& sources, int64_t steps_per_epoch,
                         const std::atomic<bool>* cancelled)
    : registry_(registry),
      job_(with_inputs_named(job, network)),
      network_(network),
      sources_(sources),
      steps_per_epoch_(steps_per_epoch),
      cancelled_(cancelled) {}

Result<std::unique_ptr<Pretraining>> Pretraining::create(const Registry& registry, const Job& job,
                                                         const Network& network,
                                                         const PretrainSources& sources,
                                                         int64_t steps_per_epoch,
                                                         const std::atomic<bool>* cancelled) {
  std::unique_ptr<Pretraining> pretraining(
      new Pretraining(registry, job, network, sources, steps_per_epoch, cancelled));
  for (const PretrainSpec& pretrain : job.pretrain) {
    const PluginSpec& spec = pretrain.plugin;
    CallContext context(1, nullptr, cancelled);
    auto instance = create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context);
    if (!instance) return instance.status().at(spec.where.text());
    pretraining->pretrainers_.push_back(std::move(instance).value());
  }
  return pretraining;
}

Status Pretraining::ask(const StageText& stage) {
  const Instance& pretrainer = pretrainers_[current_];
  const PretrainRequest request(network_, stage_, sources_.steps_per_epoch(current_, steps_per_epoch_));
  CallContext context(1, nullptr, cancelled_);
  context.set_extension(PLAIT_EXTENSION_PRETRAIN_TASK, StageText::tasks());
  const Status said = context.call([&] {
    return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(), request.raw(),
                                                              stage.raw());
  });
  PLAIT_TRY(stage.refused());  // before what the plugin says of it: this one has the reason
  return said;
}

// What a stage of the current pretrainer takes from the job where it does not say it. Records of its own need
// no labels: there is nothing to measure by them but what is held out.
Job Pretraining::base() const {
  const PretrainSpec& pretrain = job_.pretrain[current_];
  Job base = job_;
  if (!pretrain.augment.empty()) base.augment = pretrain.augment;
  if (!pretrain.preprocess.empty()) base.preprocess = pretrain.preprocess;
  if (pretrain.has_own_records()) base.test = {};
  if (!pretrain.source) return base;
  base.source = pretrain.source;
  base.validation = {};
  return base;
}

Result<PretrainStep> Pretraining::step(const StageText& text) const {
  PretrainStep step;
  step.is_task = text.is_task();
  step.has_own_records = job_.pretrain[current_].has_own_records();
  Job own = base();
  PLAIT_ASSIGN(step.job, parse_stage(registry_, own, text.title(), text.text(),
                                     step.is_task ? Work::kTask : Work::kTraining));
  if (!step.is_task) return step;
  const std::string place = "pretraining \"" + text.title() + "\": ";
  if (step.job.stages.size() != 1 || step.job.stages.front().is_keyed())
    return Status(Code::kInvalid, place + "wanted one task that fills accumulators");
  StageSpec& stage = step.job.stages.front();
  if (!stage.network) {
    stage.source = std::move(own.source);
    stage.preprocess.insert(stage.preprocess.begin(), own.preprocess.begin(), own.preprocess.end());
  }
  stage.output = "pretrain" + std::to_string(number_) + ".safetensors";
  stage.is_used = true;
  const Location where = job_.pretrain[current_].plugin.where;
  for (const TakenArray& taken : text.taken()) {
    LayerSpec& layer = step.inits.layers.emplace_back(
        *std::ranges::find_if(job_.layers, [&](const LayerSpec& one) { return one.name == taken.layer; }));
    InitSpec init;
    init.stage = stage.arrays;
    init.from = stage.name;
    init.array = taken.array;
    init.parameter = taken.parameter;
    init.where = where;
    layer.init = {init};
  }
  return step;
}

Result<std::optional<PretrainStep>> Pretraining::next() {
  for (; current_ < pretrainers_.size(); ++current_, stage_ = 0) {
    StageText stage(registry_, job_);
    PLAIT_TRY(ask(stage).at("pretrainer " + std::string(pretrainers_[current_].entry().type->id)));
    if (!stage.has_begun()) continue;
    stage_ += 1;
    PLAIT_ASSIGN(PretrainStep made, step(stage));
    ++number_;
    return std::optional<PretrainStep>(std::move(made));
  }
  return std::optional<PretrainStep>();
}

}  // namespace plait::inline train
