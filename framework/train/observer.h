// What is told of a run while it goes on.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "train/summary.h"

namespace plait::inline train {

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

// A pass of a task over its records, which is not its last.
struct TaskPassInfo {
  std::string stage;
  int64_t pass = 0;  // from 1
  int64_t records = 0;
  double seconds = 0;  // this pass took
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
  // Something that a person should see however little else is shown: what of the input was left out, and what
  // cannot be vouched for.
  virtual void warning(const std::string& text) { message("warning: " + text); }
  virtual void finished(const Summary& summary) { (void)summary; }
};

}  // namespace plait::inline train
