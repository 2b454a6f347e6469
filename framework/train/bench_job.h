// bench_job: some seconds of a job's training as run_job trains, and where the time went.
#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "graph/machine_speed.h"
#include "pipeline/job.h"
#include "plan/step_cost.h"
#include "registry/registry.h"

namespace plait::inline train {

struct BenchOptions {
  double seconds = 5;          // of training, then to the end of the round
  int threads = 0;             // as RunOptions
  std::string program;         // as RunOptions
  std::string scratch_folder;  // an empty folder, for the run; what is left in it is the caller's
};

// A node of the training graph: a layer's forward or backward, a loss, an update.
struct BenchedStep {
  std::string layer, phase;
  double seconds = 0;  // of a call, on one shard
  StepCost cost;       // of an update nothing but layer and phase
  bool is_onednn = false;
};

struct BenchResult {
  bool trains = true;  // false: forward alone, of one batch after the other on `lanes` threads
  std::vector<BenchedStep> steps;
  int shards = 0, batch = 0, local_steps = 0, lanes = 0, threads = 0, workers = 0;
  int64_t samples = 0;            // trained on in whole rounds
  double samples_per_second = 0;  // of them
  double outside_share = 0;       // of the workers' time in whole rounds: not in a step's calls
  double onednn_share = 0;        // of the time in calls: of those that run oneDNN
  uint64_t peak_bytes = 0;        // of this process, the most it held so far
  MachineSpeed machine{};         // on `threads` threads
};

// The job's own training, without pretraining, checkpoints of epochs or a test at its end; data and layers as
// they are. World of one. Fails with: what run_job fails with; kInvalid when the job trains nothing; kStopped
// when `stop` says so, which is asked after each round. Threads: [one at a time]
Result<BenchResult> bench_job(const Registry& registry, const Job& job, const BenchOptions& options,
                              const std::atomic<bool>& stop);

// The same of forward alone, as in evaluation: batches of `batch` samples made up at random, with the job's
// lanes. Fails with: as bench_job; kUnsupported on a device with memory of its own.
Result<BenchResult> bench_inference(const Registry& registry, const Job& job, int batch,
                                    const BenchOptions& options, const std::atomic<bool>& stop);

// Of a profile's entry, with what it costs.
BenchedStep benched_step(const std::string& layer, const std::string& phase, int64_t calls, double seconds,
                         const std::vector<StepCost>& costs);
// The most that this process has held. Units: bytes; 0 where it cannot be read
uint64_t peak_bytes();

}  // namespace plait::inline train
