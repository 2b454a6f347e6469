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
  // Compiles the plans and makes replicas.
  // Threads: [setup only]
  static Result<std::unique_ptr<Blocks>> create(const BlockParts& parts, int rank, int ranks);
  ~Blocks() override;

  // At the bound. The plans of all views have its parameters, heads and tensors, at other extents.
  const Plan& plan() const;
  int64_t count() const { return blocks_; }
  int64_t records() const { return parts_.records; }

  // Runs this rank's blocks with these weights (plain order), `visit`ing each on the thread that ran it.
  // Fails with: the first failure of a block or a visit; kStopped. What a visit refers to then lives as long
  // as the work.
  using Visit = std::function<Status(const BlockView&)>;
  Status run(const std::vector<std::vector<float>>& weights, Visit visit);
  int64_t skipped_records() const;

 private:
  struct Worker;
  struct Size;  // its plans and workers
  Blocks(const BlockParts& parts, int rank, int ranks);
  Result<std::unique_ptr<Size>> make_size(int batch, int workers);
  bool step(int slot) override;
  Status run_block(Worker& worker, int64_t block);
  Status run_graph();
  bool is_cancelled() const { return parts_.work != nullptr && parts_.work->cancelled(); }
  static Status load(Size& size, const std::vector<std::vector<float>>& weights);

  BlockParts parts_;
  int64_t blocks_ = 0;
  std::vector<int64_t> mine_;  // whole blocks of this rank
  bool rest_is_mine_ = false;  // the last, smaller block
  std::unique_ptr<Size> whole_, rest_;
  std::unique_ptr<RoundGraph> graph_;
  Visit visit_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> rest_done_ = false;
  std::atomic<bool> failed_ = false;
  std::mutex failure_mutex_;
  Status failure_;
};

}  // namespace plait
