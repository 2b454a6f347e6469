// What a run has come to: what summary.json holds.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/identity.h"

namespace plait::inline train {

// Values by name in a fixed order: {"accuracy", 0.9}, {"loss", 0.3}.
using NamedValues = std::vector<std::pair<std::string, double>>;

enum class RunStatus {
  kComplete,  // exit status 0
  kStopped,   // resumable, exit status 75
};

// From a round on the run has other bits than one that began as it is now: a difference that a person
// accepted.
struct Change {
  static constexpr int64_t kStages = -1;  // before the first round, where stages run tasks
  int stage = 0;
  int64_t round = 0;         // of the stage, or kStages
  std::string part;          // identity.h
  std::string what;          // "train.batch was 16, is 32"
  std::string text() const;  // "other bits from round 120 on (job: train.batch was 16, is 32)"
};

struct Fault {
  int64_t round = 0;
  int rank = 0;
  std::string what;
};

// A stage that ran a task over records, or did something with the trained network.
struct TaskStageInfo {
  std::string name, task;  // task: its type, or "evaluate", "predict", "features"
  bool is_task = true;
  std::string output;    // file in the run's folder
  std::string sha256;    // of it
  bool is_kept = false;  // of an earlier run: nothing it is made from has changed
  bool is_keyed = true;  // of pairs; else of accumulators
  int64_t tasks = 0;
  int64_t passes = 1;  // over the records
  std::vector<int64_t> tasks_by_rank;
  int64_t records = 0;          // mapped
  int64_t skipped_records = 0;  // bad ones, left out
  int64_t pairs = 0;            // emitted
  int64_t results = 0;          // lines of a table of pairs, rows of the longest array, values measured
  int64_t bytes_shuffled = 0;   // sent from rank to rank
  int64_t bytes_spilled = 0;    // kept in files meanwhile
  int64_t bytes_held = 0;       // of pairs in memory at most, on any rank; of keyed stages alone
  std::string value;            // kind of a table's values: "i64", "f64", "bytes"
  NamedValues values;           // that evaluate measured
  double seconds = 0;
};

// A pass of an augmenter over the training records.
struct FitInfo {
  std::string place;     // "plait.whiten (file:3:1)"
  bool is_kept = false;  // of an earlier run of the folder: what it is made from has not changed
  int64_t tasks = 0;
  std::vector<int64_t> tasks_by_rank;
  int64_t records = 0;          // observed
  int64_t skipped_records = 0;  // bad ones, left out
  int64_t bytes_shuffled = 0;   // sent from rank to rank
  double seconds = 0;
};

// What frozen layers at the head of a pretraining stage make of its records, computed once for all its
// epochs.
struct EncoderInfo {
  std::string stage;
  std::vector<std::string> layers;  // whose outputs are kept
  int64_t records = 0;
  int64_t bytes = 0;     // kept, by each rank
  bool in_file = false;  // else in memory
  double seconds = 0;
};

// What summary.json holds. The same on all ranks.
struct Summary {
  RunStatus status = RunStatus::kComplete;
  bool is_stages_only = false;  // nothing was trained: only stages and what concerns every run is told
  std::string run_dir;
  std::string weights_sha256;       // of the last weights; see weights_file.h
  std::string best_weights_sha256;  // of those that were best on the validation set; "" without
  std::string begun_with;           // what was taken of a weights file, as JSON; "" without
  int64_t rounds = 0;
  int64_t steps = 0;    // local steps of a shard
  int64_t samples = 0;  // trained on, all shards together
  int ranks = 1;
  int threads = 1;  // of rank 0
  int shards = 1;
  int accumulate = 1;                   // batches of a step
  std::string clip;                     // "global_norm: 1"; "" without
  std::optional<double> average_decay;  // of the moving average, which the weights then are
  bool restored_best = false;           // the weights are the best, not those of the last round
  double seconds = 0;                   // of the whole run
  double train_samples_per_second = 0;  // training time alone
  double loss = 0;                      // of the last round
  NamedValues losses;                   // of the last round where there are several losses
  NamedValues validation;               // of the last weights; empty without validation records
  NamedValues test;                     // of the last weights; empty without test records
  NamedValues best_validation;          // of the best checkpoint
  NamedValues best_test;
  double best_epoch = 0;
  std::string ended_early;  // "plait.early_stopping (FILE:LINE:COLUMN) after step 60", "--max-steps 60 after
                            // step 60 of 600"; "" at the job's end
  std::vector<int64_t> tasks_by_rank;  // sums to shards x rounds
  int64_t skipped_records = 0;
  std::vector<TaskStageInfo> stages;
  std::vector<FitInfo> fits;  // in the order in which they were made
  std::vector<EncoderInfo> encoders;
  std::vector<Fault> faults;
  Identity identity;            // what the bits depend on, besides the job
  std::vector<Change> changes;  // in the order in which they were accepted
  std::string json() const;
};

}  // namespace plait::inline train
