// train/: a job is trained, evaluated and used: rounds, evaluation, checkpoints, the run's folder.
//
// run_job is the whole of `plait run`: pretraining stages, rounds, validation at each epoch, the test at the
// end, and the files of the run. The rounds are in round.h; everything here works on any Transport, Clock and
// Files. What is made of a run that is done: evaluate_run.h, predict_run.h.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/observer.h"
#include "train/summary.h"

namespace plait::inline train {

// What the command line says beyond the job.
struct RunOptions {
  std::string run_dir;           // "": runs/<job name>-<UTC time>; with resume: the newest of these
  bool resume = false;           // go on from the last good checkpoint of run_dir
  std::string weights_file;      // start from these weights (safetensors): see taken_weights.h
  bool weights_partial = false;  // tensors of another shape or type are left out, not refused
  int threads =
      0;  // of this rank; 0: the cores of the process's affinity mask, shared by the ranks of a host
  int64_t max_steps = 0;    // local steps of a shard in all stages, rounded down to whole rounds; 0: no bound
  double max_seconds = 0;   // stop with RunStatus::kStopped after this; 0: as the job says
  int overfit_batches = 0;  // train on the first n batches of the first epoch only, over and over; 0: off
  std::string trace{};      // a file for what ran when (trace_file.h); "": none
  bool profile = false;     // measure the time per layer: Observer::profile at the end
  std::string program;      // version and digest of the program
  std::set<std::string>
      accept_change;               // parts (identity.h) in which a resumed run may differ from its beginning
  bool whole_data_digest = false;  // every byte of data files counts, however large
  std::string plugins;             // what the folder's plugins.lock shall hold; "": none is written
  // Called at the end of a stopped run, when all that is to be saved is, with the status that run_job would
  // return: a thread may still be caught in a source that never comes back from reading. May end the process.
  // Where it returns, or is empty, run_job waits for such threads.
  std::function<void(const Status& status)> leave;
};

// Trains the job. `stop` may be set at any time (a signal handler): the open round, or evaluation, is left at
// its next step, also where a source is waited for; the last whole round is saved, and the status is
// kStopped; any rank's stop stops all. Nothing is written before the job, its data and the run's folder are
// known to be good. Fails with: whatever is wrong with job, data, folder or peers; kNumeric naming shard,
// layer and step; kStopped on all ranks when the stop came before anything was written. In a world of several
// ranks the failure has then been announced through Transport::abort (over MPI that ends the process with the
// one message); in a world of one it has not, and the caller prints it. Threads: [one at a time], the
// transport's thread.
Result<Summary> run_job(const Registry& registry, const Job& job, const RunOptions& options,
                        Transport& transport, Clock& clock, Files& files, Observer& observer,
                        const std::atomic<bool>& stop);

}  // namespace plait::inline train
