// The stage that runs a network forward over all records of a source, a block a task: what evaluation and
// prediction share.
//
// The blocks are Splits of the records. The last one may be smaller: it has a plan of its own size, and a
// pass of its own, so that no record is met twice. What a block gives depends on its records alone.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "cluster/transport.h"
#include "graph/input_graph.h"
#include "graph/replica_set.h"
#include "mapreduce/split.h"
#include "mapreduce/stage_graph.h"
#include "pipeline/job.h"
#include "train/metric_values.h"
#include "train/plain_weights.h"
#include "train/sample_order.h"

namespace plait::inline train {

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
  StoppableWork* work = nullptr;  // runs the blocks
  bool at_bound = false;          // no buckets: outputs of all blocks have the same extents
  SourceClasses classes{};        // of the training source, for the names of metrics' values
  // Layers measure their buffers, which are then each block's own: workers have weights of their own.
  bool measuring = false;
  bool keeps_values = false;  // what a visitor sees is all tensors, not what heads and people read alone
};

class Blocks final : private StageWork {
 public:
  // Compiles the plans. Replicas are there only while run is.
  // Threads: [setup only]
  static Result<std::unique_ptr<Blocks>> create(const BlockParts& parts, int rank, int ranks);
  ~Blocks() override;

  // At the bound. The plans of all views have its parameters, heads and tensors, at other extents.
  const Plan& plan() const;
  int64_t count() const { return splits_.count(); }
  int64_t records() const { return parts_.records; }

  // What is done with the blocks of this rank, each on the thread that ran it, several at once; and, when all
  // are done, by the transport's thread.
  struct Visitor {
    std::function<Status(const BlockView&)> block;
    std::function<Status()> end{};
  };
  // Runs this rank's blocks with these weights (plain order). Fails with: the failure of the lowest block, or
  // of the visitor; kStopped: what the visitor refers to then lives as long as the work. All replicas read
  // one set of weights: that of `lent`, which is overwritten, where its arenas are large enough, else a set
  // of their own.
  Status run(const PlainWeights& weights, Visitor visitor, Replica* lent = nullptr);
  // What run holds at its largest, weights of its own apart. Units: bytes
  uint64_t bytes() const;
  uint64_t weight_bytes() const { return plan().arena_elements() * sizeof(float); }

 private:
  struct Worker;
  struct Size;  // its plans, workers and blocks
  Blocks(const BlockParts& parts, int rank, int ranks);
  Result<std::unique_ptr<Size>> make_size(int batch, Scheduler::Tasks blocks);
  int workers_for(const Size& size) const;
  Result<Worker> make_worker(Size& size, Replica* lent);
  Status make_workers(Size& size);
  Result<Pass> begin(int64_t number) override;
  Result<const MapResult*> map(int slot, int64_t block) override;
  Status combine(int slot, const MapResult& result) override;
  Result<const PassResult*> reduce() override;
  bool is_finished() override { return running_ + 1 == sizes_.size(); }

  BlockParts parts_;
  Splits splits_;
  int rank_;
  int ranks_;
  std::vector<std::unique_ptr<Size>> sizes_;  // a pass each: the common size, and the last, smaller one
  Scheduler scheduler_;
  std::unique_ptr<StageGraph> graph_;

  // Of the blocks under way.
  size_t running_ = 0;  // of sizes_
  const PlainWeights* weights_ = nullptr;
  Replica* lent_ = nullptr;
  Visitor visitor_;
  PassResult result_;
};

}  // namespace plait::inline train
