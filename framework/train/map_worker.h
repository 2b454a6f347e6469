// One worker that goes through map tasks: a task takes the weights of a round and a shard's samples, runs the
// round's local steps, each in the replica of its batch's bucket, and gives what came of it. A pure function
// of (round state, shard, step, seed).
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "graph/input_graph.h"
#include "graph/replica_set.h"
#include "mapreduce/stage_graph.h"
#include "train/gradient_rules.h"
#include "train/round_start.h"
#include "train/round_state.h"
#include "train/round_sums.h"

namespace plait::inline train {

// What a task gives to the reduce, beside values and slots of its worker.
struct TaskResult : MapResult {
  double loss_sum = 0;  // over samples
  double samples = 0;
  std::vector<double> losses;  // of each loss, as in StepResult
};

// Threads: [one at a time], in no arena or in one of the round graph.
class MapWorker {
 public:
  struct Setup {
    PlanCache* plans = nullptr;
    Device* device = nullptr;
    const SampleReader* reader = nullptr;
    const SampleOrder* order = nullptr;
    const OptimizerInstance* optimizer = nullptr;  // null: gradients are the result, weights stay as they are
    bool whole_weights = false;            // the result is the weights themselves, not what changed in them
    int accumulate = 1;                    // batches of a step
    const GradientRules* rules = nullptr;  // of an update of the optimizer; null: none
    uint64_t seed = 1;
    bool profile = false;
    const std::atomic<bool>* cancelled = nullptr;  // step then fails with kStopped
    // Where sums are made on the device: they and the round's start. Null: the result is made in host memory.
    const RoundSums* sums_there = nullptr;
    const RoundStart* start = nullptr;
    // Gradients alone, in host memory: the state's weights, which are read where they lie. Null: they are
    // loaded.
    float* weights_at = nullptr;
  };
  static Result<std::unique_ptr<MapWorker>> create(const Setup& setup);

  // Begins a task: the replicas get the round's weights and slots, unless they have them already.
  Status load(const RoundState& state);
  // Where weights are read where they lie: the round has changed them.
  void weights_changed() { is_prepared_ = false; }
  // The round's result is all of what the last task left here: the next one has no need to load it.
  void keeps_result(int64_t round);
  // Runs batch number `part` (below Setup::accumulate) of step number `step` of `shard`, the one at
  // `position`; meanwhile the batch at `next_position` (-1: none) is prepared. With the last of them the
  // optimizer runs, or the mean of their gradients is left. `updates`: of the optimizer's slots since they
  // had their initial values. Fails with: what plugins report; kNumeric naming shard, step and the first
  // layer whose values are not finite.
  Status step(int64_t position, int64_t next_position, int64_t step, int part, int shard,
              std::span<const double> runtime, int64_t updates);
  // The same without the work: for a shard whose task has failed, and whose batches are not wanted any more.
  Status skip(int64_t position, int64_t next_position);
  // Ends the task. Shapes: values() [arena]: delta of the trained parameters since load, or the parameters,
  // or their gradients; buffers as they are now. slots(): one [trained] array each. Valid until the next
  // call.
  Status finish(const RoundState& state);
  // Where sums are made on the device, there is result_there() alone.
  std::span<const float> values() const { return values_; }
  std::span<const float* const> slots() const { return slots_; }
  ResultThere result_there();
  const TaskResult& result() const { return result_; }

  // The replica of the bound for others to use between two tasks, its weights too: the next task loads them
  // again.
  Replica& lend() {
    loaded_round_ = -1;
    is_prepared_ = false;
    return replicas_->whole();
  }

  // Says which step of which shard a value that is not finite belongs to, after finish.
  Status blame(const Status& failure) const;
  int64_t skipped_records() const { return input_->skipped_records(); }
  std::vector<NodeTime> profile() const { return replicas_->profile(); }

 private:
  explicit MapWorker(const Setup& setup) : setup_(setup) {}
  Status make_memory();
  Status load_all(const RoundState& state);
  Status copy_in(float* device, const HostArena& host);
  Status copy_out(HostArena& host, const float* device, uint64_t elements);
  void finish_in_place(const RoundState& state);
  Status finish_in_copies();
  Status load_there();
  Status finish_there();
  void subtract(float* values, const RoundState& state) const;
  Status update(Replica& replica, std::span<const double> runtime, int64_t updates);
  Status accumulate(int part);
  Status apply_rules();
  Result<float*> fetch_gradients();
  Status store_gradients(const float* gradients);
  // The replica's own update would be too early.
  bool updates_apart() const { return setup_.accumulate > 1 || setup_.rules != nullptr; }
  Status find_first_not_finite(Replica& replica, const Batch& batch, const Status& failure);
  bool gradients() const { return setup_.optimizer == nullptr; }
  const Plan& plan() const { return setup_.plans->whole(); }  // places of parameters are those of all
  bool buffers() const { return plan().buffers_offset() < plan().arena_elements(); }

  Setup setup_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<ReplicaSet> replicas_;
  std::unique_ptr<InputGraph> input_;
  // Where the host cannot read the device's memory: delta or gradients, and buffers; slots.
  HostArena result_arena_;
  std::vector<HostArena> slot_copies_;
  HostArena sum_;                // of a step's gradients so far; empty: one batch a step
  HostArena fetched_, weights_;  // what rules look at, where the host cannot read the device's memory
  double step_loss_ = 0, step_samples_ = 0;  // of the step's batches so far
  std::span<const float> values_;
  std::vector<const float*> slots_;
  TaskResult result_;
  int shard_ = 0;
  int64_t step_ = 0;
  int64_t loaded_round_ = -1;  // whose weights and slots the replicas have, and no step has changed
  bool is_prepared_ = false;   // and whose kernels know of them
};

}  // namespace plait::inline train
