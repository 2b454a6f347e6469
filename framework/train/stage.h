// One training of one network: a pretraining stage, or the main training of a job.
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "plan/memory.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/job_data.h"
#include "train/recalibration.h"
#include "train/round.h"
#include "train/run.h"
#include "train/run_folder.h"

namespace plait::inline train {

// What all stages of a run share. Borrowed.
struct RunContext {
  const Registry& registry;
  const RunOptions& options;
  Transport& transport;
  Clock& clock;
  Observer& observer;   // told on rank 0 only
  StoppableWork& work;  // all that may take long
  Device& device;
  RunFolder* folder = nullptr;              // rank 0 only
  CheckpointFolder* checkpoints = nullptr;  // rank 0 only
  Identity identity{};                      // data included once the main stage has opened them
  std::vector<Change> changes{};
  // Called with the data of the main training before anything is made for them.
  std::function<Status(const JobData&)> data_opened{};
  // Before a checkpoint, on all ranks: whether the data are still what they were. See Run::check_data.
  std::function<Status()> check_data{};
  std::function<std::string()> more_time{};  // where a limit of time stopped the run: what to do about it
  int threads = 1;
  Clock::Nanoseconds begin{};  // of this process's run
  double seconds_before = 0;   // of the runs that this one resumes
  int64_t rounds_before = 0;
  Counters counters{};
  bool is_root() const { return transport.is_root(); }
  double seconds() const;
};

class Stage : private RoundFollower {
 public:
  // `run` and `job` outlive the stage, and the stage outlives run.work where that is caught in it.
  Stage(RunContext& run, const Job& job, int number, bool pretraining);
  ~Stage() override;

  // Before anything else: opens data, shapes, compiles, makes replicas; writes nothing.
  // Fails with: what is wrong with the job; kPeer when ranks have different plans; kUsage when --max-steps
  // is less than a round; kStopped on all ranks.
  // Threads: [setup only]
  Status open();
  // Fits the operators of the data that want it, and wait for no stage of tasks: see JobData::complete. What
  // was done is in `told`, on all ranks. After open. Fails with: kStopped on all ranks.
  Status fit(const Fits* kept, std::vector<FitInfo>& told);
  // Once the stages of tasks have run: what of data and weights is made from their arrays. After make_state.
  Status take_stage_arrays(const Fits* kept, std::vector<FitInfo>& told);
  // The weights that the seed gives, and slots; after open, for stages that run.
  Status make_state();

  const Network& network() const { return plan_->network(); }
  const Plan& plan() const { return *plan_; }  // at the bound
  // Of its test records, else of those for validation; null: nothing is measured.
  const Plan* evaluation_plan() const;
  void set_number(int number) { number_ = number; }
  double steps_per_epoch() const { return numbers_.steps_per_epoch; }
  int64_t total_steps() const { return numbers_.total_steps; }
  // "the schedule of rate (plait.cosine, FILE:LINE:COLUMN)" whose values depend on the number of steps, or
  // "".
  std::string length_bound_schedule() const { return optimizer_->length_bound_schedule(); }
  const JobData& data() const { return *data_; }
  // What a rank holds that does all shards of the stage with these threads, or their part of `ranks`; the
  // process apart.
  RunMemory memory(int threads, int ranks) const;

  // Weights that a stage begins with: the seed's, with tensors of the same name and shape taken from `from`.
  // Returns how many were taken.
  Result<int> begin_with(const NamedTensors& from);
  // Goes on from a checkpoint of this stage, of at most total_steps. Fails with: kCorrupt where it does not
  // fit.
  Status resume(const Checkpoint& checkpoint);

  // Rounds, validation and checkpoints until the stage ends, is stopped, or is a pretraining stage that
  // --max-steps ends. `network`: the job's own, for checkpoints of a pretraining stage.
  Result<RunStatus> run(const NamedTensors& network);

  // Those that are evaluated and written: the moving average where the job has one, running statistics
  // measured anew where it wants that; but not of a run that was stopped.
  Result<NamedTensors> weights();
  // All that its evaluations report.
  const std::vector<ReportedValue>& reported() const { return reported_; }
  // The value that picks the best weights; "" where none does.
  const std::string& monitor() const { return monitor_; }
  double loss() const { return loss_; }
  const NamedValues& losses() const { return losses_; }
  const Best& best() const { return best_; }
  const NamedValues& validation() const { return validation_values_; }
  // What ended the stage before the job's own end, a schedule or --max-steps, and after which step; else "".
  std::string ended_by() const;
  // What was measured after its last step: weights, step and epoch of `info` are filled in, and it is told
  // and kept. Rank 0.
  Status tell(EvaluationInfo info, const std::string& which);
  // On the job's test records; empty where there are none. Fails with: kStopped on all ranks.
  Result<NamedValues> test(const NamedTensors& weights, const std::string& which);
  // Of the rounds that have run.
  const std::vector<LayerTime>& profile() const { return times_; }

 private:
  Status open_data();
  Status check_round(const Checkpoint& checkpoint) const;
  Status read_files();
  RoundParts round_parts() const;
  Status make_rounds();
  Status make_plan();
  Status make_optimizers();
  Status name_values();
  void find_monitor();
  Status check_plain_order() const;
  Status make_evaluators();
  Status check_monitors();
  Status check_monitor(const Monitored& one) const;
  BlockParts block_parts() const;
  Result<std::unique_ptr<Evaluator>> evaluator_for(const EvaluationSet& set);
  Status make_recalibration();
  Status check_weights_fit(const Network& measured, const SampleReader& reader) const;
  Result<std::vector<ReportedValue>> values_of_evaluations() const;
  Status count_steps();
  Status check_samples() const;
  Status tell_begin();
  void find_end();
  int64_t epochs_passed(int64_t step) const;
  Result<RunStatus> run_rounds(const NamedTensors& network);
  bool ends_apart() const;
  void tell_untrained();
  Result<RunStatus> stop(const NamedTensors& network);
  bool is_stop(const Status& status) const;
  Result<RunStatus> end(const NamedTensors& network);
  int64_t steps_left() override;
  const EvaluationHistory* evaluations() override { return &history_; }
  Status report(const RoundResult& result) override;
  Status evaluate() override;
  Status save() override;
  Status after_round(const RoundResult& result, Clock::Nanoseconds took);
  Status tell_first_bad();
  Status validate(bool is_regular = true);
  void remember(Validated validated);
  Status ask_schedules();
  Status save_checkpoint(const NamedTensors& network);
  Status add_best(Checkpoint& checkpoint);
  double epoch() const;
  Result<const HostArena*> shown_weights();
  void keep_times();

  RunContext& run_;
  const Job& job_;
  int number_;
  bool pretraining_;
  std::unique_ptr<JobData> data_;
  std::unique_ptr<PlanCache> plans_;
  const Plan* plan_ = nullptr;  // at the bound
  std::unique_ptr<OptimizerInstance> optimizer_, outer_;
  std::unique_ptr<Reducer> reducer_;
  std::unique_ptr<GatheredLayout> gathered_;  // of the reducer's states
  std::unique_ptr<Evaluator> validation_, test_;
  std::unique_ptr<Recalibration> recalibration_;  // null: the job wants none
  std::unique_ptr<Rounds> rounds_;
  RoundNumbers numbers_;
  RoundState state_;
  HostArena shown_;             // of shown_weights,
  int64_t shown_round_ = -1;    // as it was after this round
  NamedTensors from_files_;     // what layers begin with, until make_state
  int64_t end_ = 0;             // the step to train to
  int64_t validated_step_ = 0;  // of the last validation that a run without --max-steps makes too
  int64_t saved_round_ = -1;    // of the last checkpoint
  bool is_apart_ = false;       // the next round is one of ends_apart
  bool ended_apart_ = false;    // the last round was one of them
  bool is_due_ = false;         // a validation
  Clock::Nanoseconds round_begin_{};
  int64_t epochs_before_ = 0;              // that had passed then
  const NamedTensors* network_ = nullptr;  // see run
  std::vector<ReportedValue> reported_;
  std::string monitor_;
  bool higher_is_better_ = false;
  double loss_ = 0;
  NamedValues losses_;  // of the last round, of several losses
  int64_t samples_ = 0;
  std::vector<LayerTime> times_;
  bool told_bad_ = false;  // on all ranks alike
  bool told_left_out_ = false;
  Best best_;
  NamedValues validation_values_;
  std::vector<Validated> validated_;  // all that a run without --max-steps makes too
  EvaluationHistory history_;         // the same, for schedules
  std::string ended_early_;           // by a schedule
  bool is_cut_ = false;               // it is at an end that is not the job's
};

}  // namespace plait::inline train
