// The stages of a job that run tasks, each behind those whose arrays it uses, before its training; and what
// of them an earlier run left that is still good.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "train/run_identity.h"
#include "train/task_stage.h"

namespace plait {

class StageChain {
 public:
  // Fails with: as TaskStage::open. Threads: [setup only]
  static Result<std::unique_ptr<StageChain>> open(const Registry& registry, const Job& job);

  bool is_empty() const { return stages_.empty(); }
  const std::vector<std::unique_ptr<TaskStage>>& stages() const { return stages_; }
  // For data_identity.
  std::vector<PlacedReader> readers() const;

  struct Surroundings {
    Transport& transport;
    StoppableWork& work;
    Files& files;
    Clock& clock;
    Observer& observer;  // told on rank 0
    std::string run_dir;
    const Identity& identity;
    int threads = 1;
    bool resume = false;  // tables of an earlier run are kept where nothing they are made from has changed
  };
  // What was done is in `told`, in order, also after a stop.
  // Fails with: as TaskStage::run; kStopped on all ranks. Threads: [one at a time], the transport's thread
  Status run(const Surroundings& around, std::vector<TaskStageInfo>& told);

 private:
  StageChain(const Registry& registry, uint64_t seed) : registry_(registry), seed_(seed) {}
  Status run_one(std::unique_ptr<TaskStage>& stage, const Surroundings& around,
                 std::vector<TaskStageInfo>& told);
  Status run_task(TaskStage& stage, const Surroundings& around, TaskStageInfo& info);
  Status open_waiting(std::unique_ptr<TaskStage>& stage, const Surroundings& around);
  std::vector<std::string> sha256_of_used(const StageSpec& spec,
                                          const std::vector<TaskStageInfo>& told) const;

  const Registry& registry_;
  const uint64_t seed_;
  std::vector<std::unique_ptr<TaskStage>> stages_;
};

}  // namespace plait
