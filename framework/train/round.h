// The stage that trains: a pass is a round, a task is a shard's (map_worker.h).
//
// A round: every shard's map task on some rank, its result combined into the rank's exact sums at once and
// thrown away, the reduce, and the outer step, which every rank does alike. What a round leaves
// depends on the state it began with, the job and the seed alone: not on ranks, threads or the order in which
// tasks end.
//
// A step of a shard has `accumulate` batches, whose gradients' mean makes one update.
//
// Penalties and clipping act on the gradient that an optimizer takes: in tasks with kWeights, after the
// reduce with kGradients. The moving average of weights follows them round by round, by decay to the power of
// the round's steps, and begins as the first round leaves them.
//
// Sync::kWeights: tasks run the optimizer; the outer gradient is w(r) - mean of w_k, which an outer optimizer
// takes, or w(r+1) = w(r) + mean delta; with a single shard and no outer optimizer (whose gradient, a
// difference in f32, rounds what it takes even at rate 1) its weights, slots and
// buffers are taken as they are, to the bit. Sync::kGradients (one local step): tasks leave gradients; the
// optimizer runs once, after the reduce, on their mean.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "cluster/kept_mean.h"
#include "cluster/transport.h"
#include "mapreduce/stage_graph.h"
#include "train/gathered.h"
#include "train/host_update.h"
#include "train/map_worker.h"
#include "train/reducer.h"
#include "train/round_state.h"
#include "train/round_sums.h"
#include "train/whole_result.h"

namespace plait::inline train {

// What decides a round's bits, beside plan and data.
struct RoundNumbers {
  int shards = 1;       // K
  int local_steps = 1;  // tau; the last round of a stage may be shorter
  int batch = 1;        // B
  int accumulate = 1;   // batches of a step
  uint64_t seed = 1;
  int64_t total_steps = 1;  // of the stage, for schedules
  double steps_per_epoch = 1;
  Sync sync = Sync::kWeights;
  InnerState inner_state = InnerState::kAverage;
  ClipSpec clip = {};
  double average_decay = -1;  // of the moving average of weights, with each update; below 0: none

  // Of a shard in a step, and of all shards.
  int64_t shard_samples() const { return int64_t{batch} * accumulate; }
  int64_t step_samples() const { return shards * shard_samples(); }
};

// Everything borrowed; outlives the rounds.
struct RoundParts {
  PlanCache* plans = nullptr;  // for training, compiled for lanes
  Device* device = nullptr;
  const SampleReader* reader = nullptr;
  const SampleOrder* order = nullptr;
  const OptimizerInstance* optimizer = nullptr;  // of the device for kWeights, of the host for kGradients
  const OptimizerInstance* outer_optimizer = nullptr;  // of the host; null: the mean as it is
  float* weights = nullptr;  // of the state that run is given, which stay where they are
  Reducer* reducer = nullptr;
  StoppableWork* work = nullptr;  // runs the tasks
  int threads = 1;
  bool profile = false;  // see Replica::Options
};

struct RoundResult : PassResult {
  double loss = 0;             // mean over the round's samples, in shard order
  std::vector<double> losses;  // of each loss, in the job's order; loss is their weighted sum
  int64_t steps = 0;
  int64_t samples = 0;
  std::vector<int64_t> tasks_by_rank;  // of this round; sums to K
  int64_t skipped_records = 0;         // of all ranks
  int64_t left_out = 0;                // shards whose numbers were not finite, left to the reducer
  std::string why_left_out;            // of the first of them
};

// What follows the outer step of each round, on all ranks alike. Threads: the transport's
class RoundFollower {
 public:
  virtual ~RoundFollower() = default;
  // Steps that are left to train: 0 ends it.
  virtual int64_t steps_left() = 0;
  // All that were made before the next round, for schedules; null: none.
  virtual const EvaluationHistory* evaluations() { return nullptr; }
  virtual Status report(const RoundResult& result) = 0;
  virtual Status evaluate() = 0;
  virtual Status save() = 0;
};

// The slots of the optimizer that shards' copies are averaged of; none where there is nothing to average.
std::vector<SlotInfo> averaged_slots(const OptimizerInstance& optimizer, Sync sync, InnerState inner_state);

// Whether every shard's gradients stay in a replica of its own, in the memory of the only rank, until the
// update: then nothing is summed before (KeptMean). `workers`: replicas of the rank.
bool keeps_gradients(const RoundNumbers& numbers, const RoundParts& parts, size_t workers, int ranks);

// Whether the round has one shard and the only rank has its result, in host memory, which is then taken as it
// is (WholeResult).
bool takes_whole_result(const RoundNumbers& numbers, const RoundParts& parts, int ranks);

class Rounds final : private StageWork {
 public:
  // Fails with: what makes replicas and sums; kInvalid for kGradients with more than one local step.
  // Threads: [setup only]
  static Result<std::unique_ptr<Rounds>> create(const RoundNumbers& numbers, const RoundParts& parts,
                                                Transport& transport);
  ~Rounds() override;

  // Rounds from `state` on, until the follower says that none are left. All ranks call it with the same
  // state. Fails with: kStopped on all ranks when one of them was asked to stop before its tasks were done;
  // kNumeric naming shard, layer and step, unless the reducer gathers and leaves that shard out; kPeer; what
  // plugins and the follower report. The state is then that of the last whole round.
  // Threads: [one at a time], the transport's thread
  Status run(RoundState& state, RoundFollower& follower);

  int replicas() const { return static_cast<int>(workers_.size()); }
  // A replica for others to use between rounds; null on a rank that has none, or whose replicas have the
  // state's own weights.
  Replica* lend() { return workers_.empty() || kept_ ? nullptr : &workers_.front()->lend(); }
  std::vector<NodeTime> profile(int worker) const { return workers_[static_cast<size_t>(worker)]->profile(); }

 private:
  struct Cursor;  // where a worker is in its shard
  Rounds(const RoundNumbers& numbers, const RoundParts& parts, Transport& transport);
  Status make_sums();
  size_t count_workers() const;
  Status make_workers();
  void make_graph();
  Result<Pass> begin(int64_t number) override;
  Result<const MapResult*> map(int worker, int64_t task) override;
  Status combine(int worker, const MapResult& result) override;
  Result<const PassResult*> reduce() override;
  bool is_finished() override { return follower_->steps_left() == 0; }
  Status step(Cursor& cursor, int64_t shard, MapWorker& worker, int64_t next_position);
  Status gather(const Cursor& cursor, int shard, MapWorker& worker);
  void note_left_out(int shard, const Status& why);
  int64_t position(int64_t step, int64_t shard, int64_t part) const;
  int64_t next_position(int worker, int64_t shard);
  Status runtime_of_steps();
  bool takes_weights() const;
  Status update_by_kept(RoundState& state);
  bool is_reduced_buffer(const Segment& segment) const;
  bool slots_begin_anew() const;
  Status tally();
  Status gather_all(RoundState& state);
  Status outer_step();
  Status make_weights(RoundState& state);
  Status follow_mean(RoundState& state);
  void move_average(RoundState& state) const;
  void take_buffers(RoundState& state);
  int64_t skipped() const;

  RoundNumbers numbers_;
  RoundParts parts_;
  const Plan& plan_;  // at the bound; all keep parameters at the same places
  Transport& transport_;
  const GradientRules rules_;
  std::vector<Segment> segments_;
  std::vector<bool> averaged_;              // per slot of the optimizer: comes out of the reduce
  GatheredLayout gathered_;                 // where the reducer gathers
  std::vector<Reducer::Outcome> outcomes_;  // of the round under way, by shard
  // At most one of the three; none where the reducer gathers.
  std::unique_ptr<RoundSums> sums_;
  std::unique_ptr<WholeResult> alone_;
  std::unique_ptr<KeptMean> kept_;     // the gradients that the workers' replicas hold
  std::unique_ptr<RoundStart> start_;  // of sums_ that are on the device
  std::vector<std::unique_ptr<MapWorker>> workers_;
  std::unique_ptr<Cursor[]> cursors_;  // of workers_
  Scheduler scheduler_;
  std::unique_ptr<StageGraph> graph_;
  HostUpdate update_;           // after the reduce: the optimizer's on mean gradients, or the outer one's
  std::vector<int64_t> table_;  // of tally
  HostArena mean_;              // [arena]; empty: nothing is reduced

  RoundFollower* follower_ = nullptr;

  // Of the round under way.
  RoundState* state_ = nullptr;
  int64_t steps_ = 0;
  std::vector<double> runtime_;      // [steps, fields]
  std::vector<TaskResult> results_;  // by shard; those of this rank
  RoundResult result_;
  std::mutex left_out_mutex_;
  std::map<int, std::string> left_out_;  // why, by shard; those of this rank
  int64_t skipped_before_ = 0;
};

}  // namespace plait::inline train
