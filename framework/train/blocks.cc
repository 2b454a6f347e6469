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
  std::vector<int64_t> mine;    // blocks of this rank
  std::vector<Worker> workers;  // while they run
};

namespace {

// Into the weights of a replica, a parameter at a time.
Status load(const Plan& plan, const PlainWeights& weights, Replica& replica, Stream& stream) {
  const bool direct = stream.device().host_memory();
  PLAIT_TRY(stream.fill_zero(replica.weights(), plan.arena_elements() * sizeof(float)));
  PLAIT_TRY(stream.synchronize());
  HostArena arena(direct ? 0 : plan.arena_elements());
  float* const to = direct ? replica.weights() : arena.data();
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    PLAIT_ASSIGN(const std::span<const float> plain, weights(i));
    PLAIT_TRY(plan.pack(i, plain.data(), to));
  }
  if (!direct) PLAIT_TRY(stream.copy_in(replica.weights(), arena.data(), arena.bytes()));
  return stream.synchronize();
}

uint64_t batch_bytes(const std::vector<PartSpec>& parts, int batch) {
  uint64_t bytes = 0;
  for (const PartSpec& part : parts) bytes += byte_count(part) * static_cast<uint64_t>(batch);
  return bytes;
}

}  // namespace

Blocks::Blocks(const BlockParts& parts)
    : parts_(parts), blocks_((parts.records + parts.block - 1) / parts.block) {}

Blocks::~Blocks() = default;

Result<std::unique_ptr<Blocks>> Blocks::create(const BlockParts& parts, int rank, int ranks) {
  std::unique_ptr<Blocks> blocks(new Blocks(parts));
  const int64_t whole = parts.records / parts.block;
  const bool rest = parts.records % parts.block != 0, rest_is_mine = rest && whole % ranks == rank;
  std::vector<int64_t> mine;
  for (int64_t b = rank; b < whole; b += ranks) mine.push_back(b);
  int slots = 0;
  if (whole > 0) {
    PLAIT_ASSIGN(blocks->whole_, blocks->make_size(parts.block, std::move(mine)));
    slots = blocks->workers_for(*blocks->whole_);
  }
  // A rank without blocks still has a plan: heads and names are asked of it.
  if (rest_is_mine || !blocks->whole_) {
    const int size = static_cast<int>(std::max<int64_t>(1, parts.records % parts.block));
    PLAIT_ASSIGN(blocks->rest_, blocks->make_size(size, rest_is_mine ? std::vector<int64_t>{whole}
                                                                     : std::vector<int64_t>()));
    slots = std::max(slots, rest_is_mine ? 1 : 0);
  }
  RoundGraph::Work& work = *blocks;
  blocks->graph_ = std::make_unique<RoundGraph>(slots, work);
  return blocks;
}

Result<std::unique_ptr<Blocks::Size>> Blocks::make_size(int batch, std::vector<int64_t> blocks) {
  auto size = std::make_unique<Size>();
  size->mine = std::move(blocks);
  const PlanPurpose purpose{batch, false, parts_.job->train.buckets && !parts_.at_bound};
  PLAIT_ASSIGN(size->plans,
               compile_plans(*parts_.registry, *parts_.job, parts_.reader->parts(), purpose, *parts_.device));
  return size;
}

int Blocks::workers_for(const Size& size) const {
  const int slots = std::max(1, parts_.threads / parts_.job->train.lanes);
  return std::min<int>(slots, static_cast<int>(size.mine.size()));
}

Result<Blocks::Worker> Blocks::make_worker(Size& size, Replica* lent) {
  const int lanes = parts_.job->train.lanes;
  Worker worker;
  PLAIT_ASSIGN(worker.stream, Stream::create(*parts_.device, lanes, parallel_pieces));
  Replica::Options options;
  options.share_with = lent;
  if (parts_.work != nullptr) options.cancelled = &parts_.work->cancelled();
  PLAIT_ASSIGN(worker.replicas, ReplicaSet::create(*size.plans, *parts_.device, options));
  PLAIT_ASSIGN(auto input,
               InputGraph::create(*parts_.reader, *parts_.order, *parts_.device,
                                  size.plans->whole().network().batch, lanes, ShardFeed::kBuffers,
                                  &size.plans->buckets(), part_ranges(size.plans->whole().network())));
  worker.feed = std::make_unique<ShardFeed>(std::move(input));
  return worker;
}

const Plan& Blocks::plan() const { return whole_ ? whole_->plans->whole() : rest_->plans->whole(); }

uint64_t Blocks::bytes() const {
  uint64_t most = 0;
  for (const Size* size : {whole_.get(), rest_.get()}) {
    if (size == nullptr) continue;
    const Plan& plan = size->plans->whole();
    const uint64_t one = size->plans->activation_bytes() + plan.prepared_bytes() +
                         ShardFeed::kBuffers * batch_bytes(parts_.reader->parts(), plan.network().batch);
    most = std::max(most, one * static_cast<uint64_t>(workers_for(*size)));
  }
  return most;
}

Status Blocks::run(const PlainWeights& weights, Visit visit, Replica* lent) {
  visit_ = std::move(visit);
  failed_ = false;
  failure_ = {};
  for (Size* size : {whole_.get(), rest_.get()}) {
    if (size == nullptr || size->mine.empty()) continue;
    const Status done = run_size(*size, weights, lent);
    if (done.code() == Code::kStopped) return done;  // a source may still have them
    while (!size->workers.empty()) size->workers.pop_back();  // the first last: others read its weights
    PLAIT_TRY(done);
  }
  return {};
}

Status Blocks::run_size(Size& size, const PlainWeights& weights, Replica* lent) {
  const Plan& plan = size.plans->whole();
  const bool fits = lent != nullptr && lent->weight_elements() >= plan.arena_elements();
  for (int w = 0; w < workers_for(size); ++w) {
    Replica* const from = w > 0 ? &size.workers.front().replicas->whole() : fits ? lent : nullptr;
    PLAIT_ASSIGN(Worker worker, make_worker(size, from));
    size.workers.push_back(std::move(worker));
  }
  Worker& first = size.workers.front();
  PLAIT_TRY(load(plan, weights, first.replicas->whole(), *first.stream));
  running_ = &size;
  next_ = 0;
  return parts_.work == nullptr ? run_graph() : parts_.work->run([this] { return run_graph(); });
}

Status Blocks::run_graph() {
  graph_->run();
  return failure_;
}

bool Blocks::step(int slot) {
  if (failed_ || static_cast<size_t>(slot) >= running_->workers.size()) return false;
  Status status;
  if (is_cancelled()) {
    status = {Code::kStopped, "the blocks were left"};
  } else {
    const size_t i = next_.fetch_add(1);
    if (i >= running_->mine.size()) return false;
    status = run_block(running_->workers[static_cast<size_t>(slot)], running_->mine[i]);
  }
  if (status) return true;
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

}  // namespace plait
