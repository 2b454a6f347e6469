// The stages of a job that run tasks or use the trained network, each after those whose arrays it uses,
// before its training or after it; and what of them an earlier run left that is still good.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "train/observer.h"
#include "train/run_identity.h"
#include "train/task_stage.h"

namespace plait::inline train {

class NetworkRecords;

// What an evaluate stage has measured.
NamedValues values_of(const StageArrays& measured);

class StageChain {
 public:
  enum class When { kBeforeTraining, kAfterTraining };
  // The job outlives the chain. `network`: of stages after training, what they will be given, which is
  // declared here; null before it. `cancelled`: as of TaskStage::open. Fails with: as TaskStage::open and
  // NetworkStage::open. Threads: [setup only]
  static Result<std::unique_ptr<StageChain>> open(const Registry& registry, const Job& job, When when,
                                                  const std::atomic<bool>* cancelled = nullptr,
                                                  NetworkRecords* network = nullptr);

  bool is_empty() const { return stages_.empty(); }
  const std::vector<std::unique_ptr<ChainStage>>& stages() const { return stages_; }
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
    // Of stages that read the trained network: the digest of its weights, and a function that gives the stage
    // its records and returns the bytes that this sent from rank to rank.
    std::function<std::string(const StageSpec&)> network_sha256 = {};
    std::function<Result<int64_t>(const StageSpec&)> make_network_records = {};
    bool is_of_pretraining = false;           // what a pretrainer says depends on all of the job
    std::function<Status()> check_data = {};  // before the record of a stage is kept, on all ranks
  };
  // What was done is in `told`, in order, also after a stop.
  // Fails with: as TaskStage::run; kStopped on all ranks. Threads: [one at a time], the transport's thread
  Status run(const Surroundings& around, std::vector<TaskStageInfo>& told);

 private:
  StageChain(const Registry& registry, const Job& job, const NetworkRecords* network)
      : registry_(registry), job_(job), network_(network) {}
  Result<std::unique_ptr<ChainStage>> open_one(const StageSpec& spec,
                                               const std::atomic<bool>* cancelled) const;
  Status run_one(std::unique_ptr<ChainStage>& stage, const Surroundings& around,
                 std::vector<TaskStageInfo>& told);
  Status run_stage(ChainStage& stage, const Surroundings& around, TaskStageInfo& info);
  Status open_waiting(std::unique_ptr<ChainStage>& stage, const Surroundings& around);
  std::vector<std::string> sha256_of_used(const StageSpec& spec,
                                          const std::vector<TaskStageInfo>& told) const;

  const Registry& registry_;
  const Job& job_;
  const NetworkRecords* const network_;
  std::vector<std::unique_ptr<ChainStage>> stages_;
};

}  // namespace plait::inline train
