#include "train/pretrain_task.h"

#include <algorithm>

#include "train/stage_init.h"

namespace plait::inline train {

Result<std::unique_ptr<PretrainTask>> PretrainTask::open(const Registry& registry, PretrainStep step,
                                                         const Stage& main,
                                                         const std::atomic<bool>* cancelled) {
  std::unique_ptr<PretrainTask> task(new PretrainTask(std::move(step), main));
  const Job& job = task->step_.job;
  const bool is_of_network = job.stages.front().network.has_value();
  if (is_of_network) {
    task->records_ = std::make_unique<NetworkRecords>(
        registry, job, main.data(), std::vector<ReportedValue>(), task->step_.has_own_records);
  }
  const auto when = is_of_network ? StageChain::When::kAfterTraining : StageChain::When::kBeforeTraining;
  PLAIT_ASSIGN(task->chain_, StageChain::open(registry, job, when, cancelled, task->records_.get()));
  PLAIT_TRY(check_inits(task->step_.inits, main.network()));
  return task;
}

Status PretrainTask::run(RunContext& run, StageChain::Surroundings around, NamedTensors& network,
                         std::vector<TaskStageInfo>& told) {
  around.is_of_pretraining = true;
  around.network_sha256 = [&](const StageSpec&) { return weights_sha256(network); };
  around.make_network_records = [&](const StageSpec& stage) -> Result<int64_t> {
    Fits fits = main_.data().training().fits();
    if (step_.has_own_records) {
      PLAIT_ASSIGN(fits, found_.find(step_.job, {run.registry, run.transport, run.work, run.threads}));
    }
    return records_->make(run, stage, network, fits);
  };
  PLAIT_TRY(chain_->run(around, told));
  PLAIT_ASSIGN(const NamedTensors found, init_tensors(step_.inits, main_.network()));
  for (const NamedTensor& tensor : found) {
    const auto into = std::ranges::find(network, tensor.name, &NamedTensor::name);
    if (into != network.end()) into->values = tensor.values;
  }
  return {};
}

}  // namespace plait::inline train
