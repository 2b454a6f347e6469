// Pretraining: the stages that a job's pretrainers emit, one after the other.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/job.h"
#include "plan/network.h"
#include "registry/instance.h"
#include "registry/registry.h"

namespace plait {

// Threads: [setup only]
class Pretraining {
 public:
  // `network` is the job's own, for its training batch. Both outlive this.
  static Result<std::unique_ptr<Pretraining>> create(const Registry& registry, const Job& job,
                                                     const Network& network, int64_t steps_per_epoch);
  // The next stage as a job; nothing when pretraining is complete.
  // Fails with: what the pretrainer reports; kInvalid with the place in the stage's text when it is no job.
  Result<std::optional<Job>> next();

 private:
  Pretraining(const Registry& registry, const Job& job, const Network& network, int64_t steps_per_epoch);
  struct Emitted;
  Result<bool> ask(Emitted& emitted);

  const Registry& registry_;
  const Job& job_;
  const Network& network_;
  int64_t steps_per_epoch_;
  std::vector<Instance> pretrainers_;
  size_t current_ = 0;
  uint32_t stage_ = 0;  // of the current pretrainer
};

}  // namespace plait
