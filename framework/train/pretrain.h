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

namespace plait {

class StageText;

// Threads: [setup only]
class Pretraining {
 public:
  // `network` is the job's own, for its training batch. It outlives this, as the job does, and `cancelled`:
  // what pretrainers are told when they ask whether to go on.
  static Result<std::unique_ptr<Pretraining>> create(const Registry& registry, const Job& job,
                                                     const Network& network, int64_t steps_per_epoch,
                                                     const std::atomic<bool>* cancelled = nullptr);
  // The next stage as a job; nothing when pretraining is complete.
  // Fails with: what the pretrainer reports or builds wrongly; kInvalid with the place in the stage's text
  // when it is no job.
  Result<std::optional<Job>> next();

 private:
  Pretraining(const Registry& registry, const Job& job, const Network& network, int64_t steps_per_epoch,
              const std::atomic<bool>* cancelled);
  Status ask(const StageText& stage);

  const Registry& registry_;
  const Job job_;  // with every input named
  const Network& network_;
  int64_t steps_per_epoch_;
  const std::atomic<bool>* const cancelled_;
  std::vector<Instance> pretrainers_;
  size_t current_ = 0;
  uint32_t stage_ = 0;  // of the current pretrainer
};

}  // namespace plait
