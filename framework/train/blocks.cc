#include "train/blocks.h"

#include <algorithm>

#include "graph/arena.h"
#include "train/compile_plan.h"
#include "train/host_arena.h"

namespace plait {

struct Blocks::Worker {
  std::unique_ptr<Stream> stream;
  std::unique_ptr<ReplicaSet> replicas;
  std::unique_ptr<ShardFeed> feed;
};

struct Blocks::Size {
  std::unique_ptr<PlanCache> plans;
  std::vector<Worker> workers;
};

Blocks::Blocks(const BlockParts& parts, int rank, int ranks) : parts_(parts) {
  const int64_t whole = parts.records / parts.block;
  const bool rest = parts.records % parts.block != 0;
  blocks_ = whole + (rest ? 1 : 0);
  for (int64_t b = rank; b < whole; b += ranks) mine_.push_back(b);
  rest_is_mine_ = rest && whole % ranks == rank;
}

Blocks::~Blocks() = default;

Result<std::unique_ptr<Blocks>> Blocks::create(const BlockParts& parts, int rank, int ranks) {
  std::unique_ptr<Blocks> blocks(new Blocks(parts, rank, ranks));
  const int slots = std::max(1, parts.threads / parts.job->train.lanes);
  const int whole = std::min<int>(slots, static_cast<int>(blocks->mine_.size()));
  // A rank without blocks still has a plan: heads and names are asked of it.
  if (parts.records >= parts.block) {
    PLAIT_ASSIGN(blocks->whole_, blocks->make_size(parts.block, whole));
  }
  if (blocks->rest_is_mine_ || !blocks->whole_) {
    const int rest = static_cast<int>(std::max<int64_t>(1, parts.records % parts.block));
    PLAIT_ASSIGN(blocks->rest_, blocks->make_size(rest, blocks->rest_is_mine_ ? 1 : 0));
  }
  RoundGraph::Work& work = *blocks;
  blocks->graph_ = std::make_unique<RoundGraph>(std::max(whole, blocks->rest_is_mine_ ? 1 : 0), work);
  return blocks;
}

Result<std::unique_ptr<Blocks::Size>> Blocks::make_size(int batch, int workers) {
  auto size = std::make_unique<Size>();
  const int lanes = parts_.job->train.lanes;
  const PlanPurpose purpose{batch, false, parts_.job->train.buckets && !parts_.at_bound};
  PLAIT_ASSIGN(size->plans,
               compile_plans(*parts_.registry, *parts_.job, parts_.reader->parts(), purpose, *parts_.device));
  for (int w = 0; w < workers; ++w) {
    Worker worker;
    PLAIT_ASSIGN(worker.stream, Stream::create(*parts_.device, lanes, parallel_pieces));
    Replica::Options options;
    if (parts_.work != nullptr) options.cancelled = &parts_.work->cancelled();
    PLAIT_ASSIGN(worker.replicas, ReplicaSet::create(*size->plans, *parts_.device, options));
    PLAIT_ASSIGN(auto input, InputGraph::create(*parts_.reader, *parts_.order, *parts_.device, batch, lanes,
                                                ShardFeed::kBuffers, &size->plans->buckets(),
                                                part_ranges(size->plans->whole().network())));
    worker.feed = std::make_unique<ShardFeed>(std::move(input));
    size->workers.push_back(std::move(worker));
  }
  return size;
}

const Plan& Blocks::plan() const { return whole_ ? whole_->plans->whole() : rest_->plans->whole(); }

Status Blocks::load(Size& size, const std::vector<std::vector<float>>& weights) {
  const Plan& plan = size.plans->whole();
  HostArena arena(plan.arena_elements());
  PLAIT_TRY(plan.pack(weights, arena.data()));
  for (Worker& worker : size.workers) {
    PLAIT_TRY(worker.stream->copy_in(worker.replicas->whole().weights(), arena.data(), arena.bytes()));
    PLAIT_TRY(worker.stream->synchronize());
    worker.replicas->weights_changed();
  }
  return {};
}

Status Blocks::run(const std::vector<std::vector<float>>& weights, Visit visit) {
  for (Size* size : {whole_.get(), rest_.get()})
    if (size) PLAIT_TRY(load(*size, weights));
  visit_ = std::move(visit);
  next_ = 0;
  rest_done_ = !rest_is_mine_;
  failed_ = false;
  failure_ = {};
  return parts_.work == nullptr ? run_graph() : parts_.work->run([this] { return run_graph(); });
}

Status Blocks::run_graph() {
  graph_->run();
  return failure_;
}

bool Blocks::step(int slot) {
  if (failed_) return false;
  Status status;
  bool more = true;
  if (is_cancelled()) {
    status = {Code::kStopped, "the blocks were left"};
  } else if (slot == 0 && !rest_done_.exchange(true)) {
    status = run_block(rest_->workers[0], blocks_ - 1);
  } else {
    const size_t i = next_.fetch_add(1);
    more = whole_ != nullptr && i < mine_.size();
    if (more) status = run_block(whole_->workers[static_cast<size_t>(slot)], mine_[i]);
  }
  if (status) return more;
  std::lock_guard lock(failure_mutex_);
  if (failure_) failure_ = status;
  failed_ = true;
  return false;
}

Status Blocks::run_block(Worker& worker, int64_t block) {
  const int64_t first = block * parts_.block;
  PLAIT_ASSIGN(const Batch* batch, worker.feed->take(first));
  PLAIT_ASSIGN(Replica* const replica, worker.replicas->at(batch->bucket));
  PLAIT_ASSIGN(const StepResult result, replica->run(*batch, 0, 0, 0, {}));
  const Plan& plan = worker.replicas->plan(batch->bucket);
  return visit_({block, first, plan.network().batch, plan, *replica, *batch, *worker.stream, result});
}

int64_t Blocks::skipped_records() const {
  int64_t sum = 0;
  for (const auto* size : {whole_.get(), rest_.get()}) {
    if (size == nullptr) continue;
    for (const Worker& worker : size->workers) sum += worker.feed->skipped_records();
  }
  return sum;
}

}  // namespace plait
