// A network's forward pass over all records of a source, in fixed blocks: what evaluation and prediction
// share.
//
// Block b holds records [b E, min((b + 1) E, n)) and belongs to rank b mod ranks. The last block may be
// smaller: it has a plan of its own size, so that no record is met twice. What a block gives depends on its
// records alone.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "cluster/transport.h"
#include "graph/replica_set.h"
#include "graph/round_graph.h"
#include "pipeline/job.h"
#include "train/plain_weights.h"
#include "train/sample_order.h"
#include "train/shard_feed.h"
#include "train/stoppable_work.h"

namespace plait {

// One block after its forward pass, for as long as the call that gets it.
struct BlockView {
  int64_t block = 0;
  int64_t first_record = 0;
  int count = 0;
  const Plan& plan;  // of the batch's bucket
  Replica& replica;
  const Batch& batch;
  Stream& stream;
  StepResult result;
};

// Everything borrowed but the records' order.
struct BlockParts {
  const Registry* registry = nullptr;
  const Job* job = nullptr;  // its layers, and its losses and metrics where the parts hold their targets
  Device* device = nullptr;
  const SampleReader* reader = nullptr;
  const SampleOrder* order = nullptr;
  int64_t records = 0;
  int block = 256;
  int threads = 1;
  StoppableWork* work = nullptr;  // runs the blocks; null: the thread that calls run, to the end
  bool at_bound = false;          // no buckets: outputs of all blocks have the same extents
};

class Blocks final : private RoundGraph::Work {
 public:
  // Compiles the plans. Replicas are there only while run is.
  // Threads: [setup only]
  static Result<std::unique_ptr<Blocks>> create(const BlockParts& parts, int rank, int ranks);
  ~Blocks() override;

  // At the bound. The plans of all views have its parameters, heads and tensors, at other extents.
  const Plan& plan() const;
  int64_t count() const { return blocks_; }
  int64_t records() const { return parts_.records; }

  // Runs this rank's blocks with these weights (plain order), `visit`ing each on the thread that ran it.
  // Fails with: the first failure of a block or a visit; kStopped. What a visit refers to then lives as long
  // as the work. All replicas read one set of weights: that of `lent`, which is overwritten, where its arenas
  // are large enough, else a set of their own.
  using Visit = std::function<Status(const BlockView&)>;
  Status run(const PlainWeights& weights, Visit visit, Replica* lent = nullptr);
  Status run(const std::vector<std::vector<float>>& weights, Visit visit) {
    return run(plain_weights_of(weights), std::move(visit));
  }
  // What run holds at its largest, weights of its own apart. Units: bytes
  uint64_t bytes() const;
  uint64_t weight_bytes() const { return plan().arena_elements() * sizeof(float); }

 private:
  struct Worker;
  struct Size;  // its plans, workers and blocks
  explicit Blocks(const BlockParts& parts);
  Result<std::unique_ptr<Size>> make_size(int batch, std::vector<int64_t> blocks);
  int workers_for(const Size& size) const;
  Result<Worker> make_worker(Size& size, Replica* lent);
  Status run_size(Size& size, const PlainWeights& weights, Replica* lent);
  bool step(int slot) override;
  Status run_block(Worker& worker, int64_t block);
  Status run_graph();
  bool is_cancelled() const { return parts_.work != nullptr && parts_.work->cancelled(); }

  BlockParts parts_;
  int64_t blocks_ = 0;
  std::unique_ptr<Size> whole_, rest_;  // blocks of the common size, and the last, smaller one
  std::unique_ptr<RoundGraph> graph_;

  // Of the blocks under way.
  Size* running_ = nullptr;
  Visit visit_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex failure_mutex_;
  Status failure_;
};

}  // namespace plait
