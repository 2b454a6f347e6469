// A stage of pretraining that runs a task: over the training records, or over what layers of the network make
// of them, with the weights that they have then. What it finds becomes weights of the network.
#pragma once
#include <memory>

#include "train/network_records.h"
#include "train/pretrain.h"
#include "train/stage_chain.h"

namespace plait::inline train {

class PretrainTask {
 public:
  // `main`: the training of the job, opened. What the step's stage will make, and whether it fits the layers
  // that get it, is checked. `cancelled`: as of TaskStage::open.
  // Fails with: as StageChain::open and check_inits. Threads: [setup only]
  static Result<std::unique_ptr<PretrainTask>> open(const Registry& registry, PretrainStep step,
                                                    const Stage& main,
                                                    const std::atomic<bool>* cancelled = nullptr);

  // `network`: the job's weights; those that the task finds are put in. What was done is in `told`. `around`:
  // of the run. Fails with: as StageChain::run and init_tensors. Threads: [one at a time], the transport's
  // thread; this lives as long as run.work.
  Status run(RunContext& run, StageChain::Surroundings around, NamedTensors& network,
             std::vector<TaskStageInfo>& told);
  const StageChain& chain() const { return *chain_; }

 private:
  PretrainTask(PretrainStep step, const Stage& main) : step_(std::move(step)), main_(main) {}
  const PretrainStep step_;
  const Stage& main_;
  std::unique_ptr<NetworkRecords> records_;
  std::unique_ptr<StageChain> chain_;
  FoundFits found_;
};

}  // namespace plait::inline train
