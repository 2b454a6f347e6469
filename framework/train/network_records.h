// Records that the trained network makes of a set of the job's own or of a stage's source, and beside them
// what losses and metrics hold them against; or what they measure.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "train/job_data.h"
#include "train/run_identity.h"
#include "train/stage.h"
#include "train/weights_file.h"

namespace plait::inline train {

class NetworkRecords {
 public:
  // Of the stages of `job` that use the network. `data`: of the job; `reported`: what its evaluations
  // measure. `is_other`: the job's records are others than those of `data`, as a pretrainer's may be. Borrows
  // all.
  NetworkRecords(const Registry& registry, const Job& job, const JobData& data,
                 std::vector<ReportedValue> reported, bool is_other = false);
  ~NetworkRecords();

  // Opens the source that the stage has of its own, and says which arrays it will have, so that it can be
  // checked before anything is trained; the stages that it uses come before it.
  // Fails with: kInvalid when arrays are larger than the stage's memory, or when its source gives other parts
  // than the network was shaped for, both places named. Threads: [setup only]
  Status declare(const StageSpec& stage);
  // Of sources that declared stages have of their own.
  std::vector<PlacedReader> readers() const;
  // -1: the stage that makes them has not run.
  int64_t records(const StageSpec& stage) const;

  // Runs the network over the records that a stage names, in evaluation, on all ranks, and gives the stage
  // its arrays on each of them: the same bits for any number of ranks and threads. A pass over the records
  // for each layer that is asked for. `fits`: of the job's training records. Returns the bytes that were sent
  // from rank to rank, as rank 0 knows them. Fails with: what blocks report;
  // kStopped on all ranks. Threads: [one at a time], the transport's thread; what it may be caught in lives
  // as long as `run.work`.
  Result<int64_t> make(RunContext& run, const StageSpec& stage, const NamedTensors& weights,
                       const Fits& fits);

 private:
  struct Use;
  struct Pass;
  Status declare_arrays(const Use& use, const std::vector<PartSpec>& parts) const;
  Result<int64_t> keep_layers(RunContext& run, const Use& use, const EvaluationSet& set,
                              const NamedTensors& weights);
  Result<int64_t> measure(RunContext& run, const Use& use, const EvaluationSet& set,
                          const NamedTensors& weights);
  Use& use_of(const StageSpec& stage) const;

  const Registry& registry_;
  const JobData& data_;
  const std::vector<ReportedValue> reported_;
  const bool is_other_;
  const SourceClasses classes_;
  std::vector<std::unique_ptr<Use>> uses_;
  std::deque<EvaluationSet> sets_;
  std::deque<FoundFits> found_;
  std::deque<Fits> fits_;
  std::vector<std::unique_ptr<Pass>> passes_;
  std::vector<std::unique_ptr<Evaluator>> evaluators_;
};

}  // namespace plait::inline train
