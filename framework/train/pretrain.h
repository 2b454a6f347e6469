// Pretraining: the stages that a job's pretrainers emit, one after the other.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/job.h"
#include "plan/network.h"
#include "registry/instance.h"
#include "registry/registry.h"
#include "train/run_identity.h"

namespace plait::inline pipeline {
class StageText;
}

namespace plait::inline train {

// A stage of pretraining: a training of its own, or a task over records and which of its arrays the network's
// layers get.
struct PretrainStep {
  Job job;
  bool is_task = false;
  bool has_own_records = false;  // others than those of training
  Job inits;  // layers of the network, each with the arrays that it begins with from now on
};

// The records of pretrainers that have some of their own, opened to be counted and told apart.
// Threads: [setup only]
class PretrainSources {
 public:
  // Fails with: what a source reports, or that it has no records.
  static Result<std::unique_ptr<PretrainSources>> open(const Registry& registry, const Job& job);
  std::vector<PlacedReader> readers() const;
  // Of training, in steps of all shards; `otherwise` for a pretrainer without a source of its own.
  int64_t steps_per_epoch(size_t pretrainer, int64_t otherwise) const;

 private:
  explicit PretrainSources(const Job& job) : job_(job) {}
  const Job& job_;
  std::vector<std::unique_ptr<SampleReader>> readers_;  // by pretrainer
};

// Threads: [setup only]
class Pretraining {
 public:
  // `network` is the job's own, for its training batch; `steps_per_epoch` of its training; `cancelled`: what
  // pretrainers are told when they ask whether to go on. What is borrowed outlives this.
  static Result<std::unique_ptr<Pretraining>> create(const Registry& registry, const Job& job,
                                                     const Network& network, const PretrainSources& sources,
                                                     int64_t steps_per_epoch,
                                                     const std::atomic<bool>* cancelled = nullptr);
  // The next stage; nothing when pretraining is complete.
  // Fails with: what the pretrainer reports or builds wrongly; kInvalid with the place in the stage's text
  // when it is no job.
  Result<std::optional<PretrainStep>> next();

 private:
  Pretraining(const Registry& registry, const Job& job, const Network& network,
              const PretrainSources& sources, int64_t steps_per_epoch, const std::atomic<bool>* cancelled);
  Job base() const;
  Result<PretrainStep> step(const StageText& stage) const;
  Status ask(const StageText& stage);

  const Registry& registry_;
  const Job job_;  // with every input named
  const Network& network_;
  const PretrainSources& sources_;
  int64_t steps_per_epoch_;
  const std::atomic<bool>* const cancelled_;
  std::vector<Instance> pretrainers_;
  size_t current_ = 0;
  uint32_t stage_ = 0;  // of the current pretrainer
  int number_ = 0;      // of the step, over all
};

}  // namespace plait::inline train
