// The folder that a run leaves. Only rank 0 has one.
//
//   lock                 held while a run writes into the folder; says by whom
//   resolved.txtpb       the whole job as run
//   input.json           what its network is given: input_record.h
//   begun_with.json      what was taken of the weights file that it began with, if any
//   plugins.lock         the plugins that it was run with, by digest
//   metrics.jsonl        a line per round and evaluation
//   curve.csv            a line per validation
//   checkpoints/         the last states, of a run with stages what it was begun as before them, and
//                        best.safetensors: the best weights on the validation set
//   weights.safetensors  the last weights
//   summary.json         written last: a folder with one is finished, or stopped and resumable
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "train/observer.h"
#include "train/weights_file.h"

namespace plait::inline train {

// Where run_job puts the job's resolved text: what `evaluate` and `predict` load.
std::string resolved_path(const std::string& run_dir);

// "runs/<job>-<UTC time as 20260131-235959>", with "-2", "-3" ... after it when that is there.
std::string default_run_dir(Files& files, const std::string& job_name, Clock::Nanoseconds wall);
// The newest of them. Fails with: kNotFound.
Result<std::string> newest_run_dir(Files& files, const std::string& job_name);

// "pid 4711 on node7, since 2026-01-31 23:59:59 UTC": this process, for those who find the folder locked.
std::string holder_text(const std::string& host, Clock::Nanoseconds wall);

std::string summary_path(const std::string& run_dir);
std::string checkpoints_path(const std::string& run_dir);
// Of "last" or "best"; anything else is a path already.
std::string weights_path(const std::string& run_dir, const std::string& which);

// Everything but lines of metrics.jsonl is written at once or not at all.
class RunFolder {
 public:
  RunFolder(Files& files, std::string run_dir) : files_(files), run_dir_(std::move(run_dir)) {}
  const std::string& path() const { return run_dir_; }

  // Makes the folder where it is not there and lets nobody else write into it until this object is gone.
  // `holder` says who this is. Fails with: kPeer naming the run that writes into it; kUnsupported where the
  // file system has no locks; kIo when it cannot be written.
  Status lock(const std::string& holder);
  // `instead`: what a person may do. Fails with: kInvalid when it holds a run already.
  Status check_new(const std::string& instead = "go on with --resume, or choose another --run-dir");
  // Makes the folder of a new run. Fails with: as check_new; kIo when it cannot be written.
  Status begin(const std::string& resolved, const std::string& plugins = "");
  // Takes up a folder for a job that may have changed: keeps the lines of metrics.jsonl up to (stage, step)
  // and throws away those after.
  struct Position {
    int stage = 0;
    int64_t step = 0;
  };
  Status resume(const Position& from, const std::string& resolved, const std::string& plugins = "");

  Status add(const RoundInfo& round);
  Status add(const EvaluationInfo& evaluation);
  // Lines wait for this; called at the end of epochs, and when they have waited long.
  Status flush();
  // begun_with.json; "": there is none.
  Status save_beginning(const std::string& json);
  Result<std::string> beginning();
  Status save_best(const TensorSources& weights);
  Result<NamedTensors> read_best();
  Status save_weights(const NamedTensors& weights);
  Status save_summary(const Summary& summary);

 private:
  bool holds_a_run();
  Status write_job(const std::string& resolved, const std::string& plugins);
  struct CurveRow {
    int stage;
    int64_t step;
    double epoch;
    double train_loss;
    NamedValues values;
  };
  Status write_curve();
  void add_row(const EvaluationInfo& evaluation);

  Files& files_;
  std::string run_dir_;
  std::unique_ptr<FileLock> lock_;
  std::string pending_;
  double train_loss_ = 0;  // of the last round
  std::vector<CurveRow> curve_;
};

}  // namespace plait::inline train
