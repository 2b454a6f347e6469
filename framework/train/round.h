// The scheduler of rounds: K logical shards over the ranks of a world and the replicas of a rank.
//
// A round: every shard's map task (map_worker.h) on the rank that owns it, its result added to the exact sums
// at once and thrown away, the reduce, and the outer step, which every rank does alike. What a round leaves
// depends on the state it began with, the job and the seed alone: not on ranks, threads or the order in which
// tasks end.
//
// Sync::kWeights: tasks run the optimizer; the outer gradient is w(r) - mean of w_k, which an outer optimizer
// takes, or w(r+1) = w(r) + mean delta; with a single shard and no outer optimizer its weights, slots and
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

#include "cluster/transport.h"
#include "graph/round_graph.h"
#include "train/host_update.h"
#include "train/map_worker.h"
#include "train/reducer.h"
#include "train/round_state.h"
#include "train/round_sums.h"
#include "train/stoppable_work.h"

namespace plait {

// What decides a round's bits, beside plan and data.
struct RoundNumbers {
  int shards = 1;       // K
  int local_steps = 1;  // tau; the last round of a stage may be shorter
  int batch = 1;        // B
  uint64_t seed = 1;
  int64_t total_steps = 1;  // of the stage, for schedules
  double steps_per_epoch = 1;
  Sync sync = Sync::kWeights;
  InnerState inner_state = InnerState::kAverage;
};

// Everything borrowed; outlives the rounds.
struct RoundParts {
  PlanCache* plans = nullptr;  // for training, compiled for lanes
  Device* device = nullptr;
  const SampleReader* reader = nullptr;
  const SampleOrder* order = nullptr;
  const OptimizerInstance* optimizer = nullptr;  // of the device for kWeights, of the host for kGradients
  const OptimizerInstance* outer_optimizer = nullptr;  // of the host; null: the mean as it is
  Reducer* reducer = nullptr;
  StoppableWork* work = nullptr;  // runs the tasks
  int threads = 1;
  bool profile = false;  // see Replica::Options
};

struct RoundResult {
  double loss = 0;             // mean over the round's samples, in shard order
  std::vector<double> losses;  // of each loss, in the job's order; loss is their weighted sum
  int64_t steps = 0;
  int64_t samples = 0;
  std::vector<int64_t> tasks_by_rank;  // of this round; sums to K
  int64_t skipped_records = 0;         // of all ranks
  int64_t left_out = 0;                // shards whose numbers were not finite, left to the reducer
  std::string why_left_out;            // of the first of them
};

// Shard k belongs to rank k mod ranks. Ranks beyond K are spares.
std::vector<int> shards_of(int rank, int ranks, int shards);

class Rounds final : private RoundGraph::Work {
 public:
  // Fails with: what makes replicas and sums; kInvalid for kGradients with more than one local step.
  // Threads: [setup only]
  static Result<std::unique_ptr<Rounds>> create(const RoundNumbers& numbers, const RoundParts& parts,
                                                Transport& transport);
  ~Rounds() override;

  // The next round of at most `most_steps` local steps, from `state` to `state`. All ranks call it with the
  // same state. Fails with: kStopped on all ranks when one of them was asked to stop before its tasks were
  // done; kNumeric naming shard, layer and step, unless the reducer gathers and leaves that shard out; kPeer;
  // what plugins report. The state is then as it was.
  // Threads: [one at a time], the transport's thread
  Result<RoundResult> run(RoundState& state, int64_t most_steps);

  int replicas() const { return static_cast<int>(workers_.size()); }
  // A replica for others to use between rounds; null on a rank that has none.
  Replica* lend() { return workers_.empty() ? nullptr : &workers_.front()->lend(); }
  std::vector<NodeTime> profile(int slot) const { return workers_[static_cast<size_t>(slot)]->profile(); }

 private:
  struct Slot;  // where a worker is in its shards
  Rounds(const RoundNumbers& numbers, const RoundParts& parts, Transport& transport);
  Status make_workers();
  bool step(int slot) override;
  Status advance(Slot& slot, MapWorker& worker);
  Status begin_task(Slot& slot, MapWorker& worker);
  Status end_task(Slot& slot, MapWorker& worker);
  Status gather(Slot& slot, MapWorker& worker);
  void note_left_out(int shard, const Status& why);
  int claim();
  int64_t position(int64_t step, int shard) const;
  int64_t next_position(Slot& slot);
  Status run_tasks();
  Status runtime_of_steps();
  bool takes_weights() const;
  bool is_reduced_buffer(const Segment& segment) const;
  bool slots_begin_anew() const;
  Result<RoundResult> tally();
  std::vector<size_t> gathered_lengths() const;
  Status combine(RoundState& state);
  Status outer_step(RoundState& state);
  Status follow_mean(RoundState& state);
  void take_buffers(RoundState& state);
  int64_t skipped() const;

  RoundNumbers numbers_;
  RoundParts parts_;
  const Plan& plan_;  // at the bound; all keep parameters at the same places
  Transport& transport_;
  std::vector<int> mine_;  // this rank's shards
  std::vector<Segment> segments_;
  std::vector<bool> averaged_;       // per slot of the optimizer: comes out of the reduce
  std::unique_ptr<RoundSums> sums_;  // null: the reducer gathers
  std::vector<std::unique_ptr<MapWorker>> workers_;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<RoundGraph> graph_;
  HostUpdate update_;           // after the reduce: the optimizer's on mean gradients, or the outer one's
  std::vector<int64_t> table_;  // of tally
  HostArena mean_;              // [arena]

  // Of the round under way.
  const RoundState* state_ = nullptr;
  int64_t steps_ = 0;
  std::vector<double> runtime_;      // [steps, fields]
  std::vector<TaskResult> results_;  // by shard; those of this rank
  std::atomic<size_t> next_ = 0;     // of mine_, not yet claimed
  std::atomic<size_t> ended_ = 0;    // tasks
  std::atomic<bool> failed_ = false;
  std::mutex failure_mutex_;
  Status failure_;
  std::map<int, std::string> left_out_;  // why, by shard; those of this rank
  int64_t skipped_before_ = 0;
};

}  // namespace plait
