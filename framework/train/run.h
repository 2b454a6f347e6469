// train/: a job is trained, evaluated and used: rounds, evaluation, checkpoints, the run's folder.
//
// run_job is the whole of `plait run`: pretraining stages, rounds, validation at each epoch, the test at the
// end, and the files of the run. The rounds are in round.h; everything here works on any Transport, Clock and
// Files.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/csv_file.h"
#include "train/identity.h"

namespace plait {

// Values by name in a fixed order: {"accuracy", 0.9}, {"loss", 0.3}.
using NamedValues = std::vector<std::pair<std::string, double>>;

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
  int64_t results = 0;          // lines of a table of pairs
  int64_t bytes_shuffled = 0;   // sent from rank to rank
  int64_t bytes_spilled = 0;    // kept in files meanwhile
  int64_t bytes_held = 0;       // of pairs in memory at most, on any rank
  std::string value;            // kind of a table's values: "i64", "f64", "bytes"
  NamedValues values;           // that evaluate measured
  double seconds = 0;
};

// A pass of a task over its records, which is not its last.
struct TaskPassInfo {
  std::string stage;
  int64_t pass = 0;  // from 1
  int64_t records = 0;
  double seconds = 0;  // this pass took
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
  double seconds = 0;                   // of the whole run
  double train_samples_per_second = 0;  // training time alone
  double loss = 0;                      // of the last round
  NamedValues losses;                   // of the last round where there are several losses
  NamedValues validation;               // of the last weights; empty without validation records
  NamedValues test;                     // of the last weights; empty without test records
  NamedValues best_validation;          // of the best checkpoint
  NamedValues best_test;
  double best_epoch = 0;
  std::string ended_early;  // "plait.early_stopping (FILE:LINE:COLUMN) after step 60"; "" at the job's end
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

struct StageInfo {
  std::string title;  // the job's name for the main training
  int number = 0;     // 0-based over pretraining stages and the main training, which is the last
  bool pretraining = false;
  int64_t rounds = 0;  // of the whole stage
  int64_t first_round = 0;
  int64_t steps = 0;
  double steps_per_epoch = 0;
  double epochs = 0;
  int shards = 0, local_steps = 0, batch = 0;
  int ranks = 1, threads = 1, replicas = 1;
  uint64_t parameters = 0;
  int64_t training_records = 0, validation_records = 0, test_records = 0;
};

struct RoundInfo {
  int stage = 0;
  int64_t round = 0;              // 0-based number of the round that is finished
  int64_t rounds = 0;             // of the stage
  int64_t step = 0;               // local steps of a shard so far
  double epoch = 0;               // so far, a fraction
  int64_t samples = 0;            // of this stage so far, all shards
  double loss = 0;                // mean over the round's samples
  NamedValues losses;             // of several losses each by name, without its weight; else empty
  double seconds = 0;             // this round took
  double samples_per_second = 0;  // of this round
};

struct EvaluationInfo {
  std::string on;       // "validation", "test"
  std::string weights;  // "last", "best"
  int stage = 0;
  int64_t step = 0;
  double epoch = 0;
  NamedValues values;  // metrics, and "loss" where there is one
  int64_t records = 0;
  bool best = false;  // best on the validation set so far
  double seconds = 0;
  std::vector<std::string> notes = {};  // of evaluate_run: what a person should know of the weights
};

struct LayerTime {
  std::string layer;
  std::string phase;  // "forward", "loss", "backward", "update"
  int64_t calls = 0;
  double seconds = 0;
};

// Told what happens, on rank 0 only, from the thread that called run_job. Must not take long.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void run_begun(const std::string& run_dir) { (void)run_dir; }
  virtual void task_stage_begun(const std::string& name, int64_t tasks, int64_t records) {
    (void)name, (void)tasks, (void)records;
  }
  virtual void task_pass_finished(const TaskPassInfo& pass) { (void)pass; }
  virtual void task_stage_finished(const TaskStageInfo& stage) { (void)stage; }
  virtual void encoded(const EncoderInfo& encoder) { (void)encoder; }
  virtual void fitted(const FitInfo& fit) { (void)fit; }
  virtual void stage_begun(const StageInfo& stage) { (void)stage; }
  virtual void round_finished(const RoundInfo& round) { (void)round; }
  virtual void evaluated(const EvaluationInfo& evaluation) { (void)evaluation; }
  virtual void checkpoint_saved(const std::string& path) { (void)path; }
  virtual void profile(const std::vector<LayerTime>& times) { (void)times; }
  // Something to know that is no failure: spare ranks, idle cores, a corrupt checkpoint passed over.
  virtual void message(const std::string& text) { (void)text; }
  virtual void finished(const Summary& summary) { (void)summary; }
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

// Where run_job puts the job's resolved text: what `evaluate` and `predict` load.
std::string resolved_path(const std::string& run_dir);

struct EvaluateOptions {
  std::string run_dir;
  std::string weights = "last";  // "last", "best", or a safetensors file
  std::string on = "test";       // "test", "validation"
  int threads = 0;
};

// Evaluates a run's weights, which are compared with the digests in its summary; `job` is the one at
// resolved_path(run_dir). Errors as for run_job.
Result<EvaluationInfo> evaluate_run(const Registry& registry, const Job& job, const EvaluateOptions& options,
                                    Transport& transport, Clock& clock, Files& files);

struct PredictOptions {
  std::string run_dir;
  std::string weights = "last";
  // "test" or "validation": the job's own records. Else a file of inputs of the network's first part, as its
  // source delivers them (before preprocess): .npy [N, H, W, C] (or [N, H, W] for C = 1) of u8 or f32, or
  // .csv, a row of H*W*C plain numbers per sample (csv_file.h); "-" or a pipe of either. The run's folder
  // says what the network is given (input_record.h): no data are opened for it.
  std::string in;
  Heading heading = Heading::kAuto;  // of a .csv
  // By the sink that its ending means. A table (.csv, .tsv): heading "index,prediction,<class names or
  // s0,s1,...>", a line per sample with the place of the largest score and the scores; else (.npy,
  // .safetensors) the scores [N, ...] f32, as the layer makes them.
  std::string out;
  std::string sink;  // a type that writes it whatever its ending; "": by the ending
  int threads = 0;
};

struct PredictSummary {
  int64_t samples = 0;
  std::vector<int64_t> shape;      // of one sample's scores
  std::vector<std::string> notes;  // of what a person should know
};

// Writes the last layer's outputs for inputs. `out` is written at once at the end or not at all. World of
// one.
Result<PredictSummary> predict_run(const Registry& registry, const Job& job, const PredictOptions& options,
                                   Files& files);

}  // namespace plait
