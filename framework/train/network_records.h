// Records that the trained network makes of a set of the job's own: outputs of layers, a row for each record,
// and beside them what losses and metrics hold them against.
#pragma once
#include "pipeline/job.h"
#include "train/job_data.h"
#include "train/stage.h"
#include "train/weights_file.h"

namespace plait {

// Says which arrays `stage` will have as its records, so that it can be checked before anything is trained.
// `parts`: of the job's records. Fails with: kInvalid when they are larger than the stage's memory, at its
// place. Threads: [setup only]
Status declare_network_records(const Job& job, const StageSpec& stage, const std::vector<PartSpec>& parts,
                               int64_t records);

// Runs the network over the records that a stage names, in evaluation, on all ranks, and gives the stage its
// arrays on each of them: the same bits for any number of ranks and threads. A pass over the records for each
// layer that is asked for. Fails with: what blocks report; kStopped on all ranks. Threads: [one at a time],
// the transport's thread; what it may be caught in lives as long as `run.work`.
class NetworkRecords {
 public:
  // `fits`: of the job's training records.
  NetworkRecords(RunContext& run, const Job& job, Fits fits) : run_(run), job_(job), fits_(std::move(fits)) {}
  ~NetworkRecords();
  Status make(const StageSpec& stage, const NamedTensors& weights);

 private:
  struct Pass;
  RunContext& run_;
  const Job& job_;
  const Fits fits_;
  std::vector<std::unique_ptr<EvaluationSet>> sets_;
  std::vector<std::unique_ptr<Pass>> passes_;
};

}  // namespace plait
