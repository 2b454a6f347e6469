#include "train/blocks.h"

#include <algorithm>
#include <optional>

#include "graph/arena.h"
#include "train/compile_plan.h"
#include "train/host_arena.h"

namespace plait::inline train {

struct Blocks::Worker {
  struct Done : MapResult {
    std::optional<BlockView> view;
  };
  std::unique_ptr<Stream> stream;
  std::unique_ptr<ReplicaSet> replicas;
  std::unique_ptr<InputGraph> input;
  Done done;
};

struct Blocks::Size {
  std::unique_ptr<PlanCache> plans;
  Scheduler::Tasks blocks;
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

Blocks::Blocks(const BlockParts& parts, int rank, int ranks)
    : parts_(parts),
      splits_{parts.records, parts.block},
      rank_(rank),
      ranks_(ranks),
      scheduler_(rank, ranks, &parts.work->cancelled()) {}

Blocks::~Blocks() = default;

Result<std::unique_ptr<Blocks>> Blocks::create(const BlockParts& parts, int rank, int ranks) {
  std::unique_ptr<Blocks> blocks(new Blocks(parts, rank, ranks));
  const int64_t whole = parts.records / parts.block, rest = parts.records % parts.block;
  if (whole > 0) {
    PLAIT_ASSIGN(auto size, blocks->make_size(parts.block, {0, whole}));
    blocks->sizes_.push_back(std::move(size));
  }
  // Without records there still is a plan: heads and names are asked of it.
  if (rest > 0 || whole == 0) {
    const int batch = static_cast<int>(std::max<int64_t>(1, rest));
    PLAIT_ASSIGN(auto size, blocks->make_size(batch, {whole, rest > 0 ? 1 : 0}));
    blocks->sizes_.push_back(std::move(size));
  }
  int slots = 0;
  for (const auto& size : blocks->sizes_) slots = std::max(slots, blocks->workers_for(*size));
  StageWork& stage = *blocks;
  blocks->graph_ =
      std::make_unique<StageGraph>(stage, std::vector<StageNode>(), slots, blocks->scheduler_, *parts.work);
  return blocks;
}

Result<std::unique_ptr<Blocks::Size>> Blocks::make_size(int batch, Scheduler::Tasks blocks) {
  auto size = std::make_unique<Size>();
  size->blocks = blocks;
  const bool buckets = parts_.job->train.buckets && !parts_.at_bound;
  const PlanPurpose purpose{batch, false, buckets, parts_.measuring, parts_.keeps_values};
  PLAIT_ASSIGN(size->plans,
               compile_plans(*parts_.registry, *parts_.job, parts_.reader->parts(), purpose, *parts_.device));
  return size;
}

int Blocks::workers_for(const Size& size) const {
  const int64_t slots = std::max(1, parts_.threads / parts_.job->train.lanes);
  return static_cast<int>(std::min(slots, Scheduler::count_of(rank_, ranks_, size.blocks)));
}

Result<Blocks::Worker> Blocks::make_worker(Size& size, Replica* lent) {
  const int lanes = parts_.job->train.lanes;
  Worker worker;
  PLAIT_ASSIGN(worker.stream, Stream::create(*parts_.device, lanes, parallel_pieces));
  Replica::Options options;
  options.share_with = lent;
  options.cancelled = &parts_.work->cancelled();
  PLAIT_ASSIGN(worker.replicas, ReplicaSet::create(*size.plans, *parts_.device, options));
  PLAIT_ASSIGN(
      worker.input,
      InputGraph::create(*parts_.reader, *parts_.order, *parts_.device, size.plans->whole().network().batch,
                         lanes, &size.plans->buckets(), part_ranges(size.plans->whole().network())));
  return worker;
}

const Plan& Blocks::plan() const { return sizes_.front()->plans->whole(); }

uint64_t Blocks::bytes() const {
  uint64_t most = 0;
  for (const auto& size : sizes_) {
    const Plan& plan = size->plans->whole();
    const uint64_t own = parts_.measuring ? plan.arena_elements() * sizeof(float) : 0;
    const uint64_t one = size->plans->activation_bytes() + plan.prepared_bytes() + own +
                         InputGraph::kBuffers * batch_bytes(parts_.reader->parts(), plan.network().batch);
    most = std::max(most, one * static_cast<uint64_t>(workers_for(*size)));
  }
  return most;
}

Status Blocks::run(const PlainWeights& weights, Visitor visitor, Replica* lent) {
  weights_ = &weights;
  visitor_ = std::move(visitor);
  lent_ = lent;
  const Status done = graph_->run();
  if (done.code() == Code::kStopped) return done;  // a source may still have its workers
  for (const auto& size : sizes_)
    while (!size->workers.empty()) size->workers.pop_back();  // the first last: others read its weights
  return done;
}

Result<StageWork::Pass> Blocks::begin(int64_t number) {
  if (number > 0) {
    std::vector<Worker>& before = sizes_[running_]->workers;
    while (!before.empty()) before.pop_back();
  }
  running_ = static_cast<size_t>(number);
  Size& size = *sizes_[running_];
  PLAIT_TRY(make_workers(size));
  return Pass{size.blocks, static_cast<int>(size.workers.size())};
}

Status Blocks::make_workers(Size& size) {
  const Plan& plan = size.plans->whole();
  const bool fits = lent_ != nullptr && lent_->weight_elements() >= plan.arena_elements();
  for (int w = 0; w < workers_for(size); ++w) {
    Replica* from = w > 0 ? &size.workers.front().replicas->whole() : fits ? lent_ : nullptr;
    if (parts_.measuring) from = nullptr;
    PLAIT_ASSIGN(Worker worker, make_worker(size, from));
    size.workers.push_back(std::move(worker));
  }
  for (Worker& worker : size.workers) {
    if (&worker == &size.workers.front() || parts_.measuring)
      PLAIT_TRY(load(plan, *weights_, worker.replicas->whole(), *worker.stream));
  }
  return {};
}

Result<const MapResult*> Blocks::map(int slot, int64_t block) {
  Worker& worker = sizes_[running_]->workers[static_cast<size_t>(slot)];
  const int64_t first = splits_.at(block).first;
  PLAIT_ASSIGN(const Batch* batch, worker.input->take(first));
  PLAIT_ASSIGN(Replica* const replica, worker.replicas->at(batch->bucket));
  PLAIT_ASSIGN(const StepResult result, replica->run(*batch, 0, 0, 0, {}));
  const Plan& plan = worker.replicas->plan(batch->bucket);
  worker.done.task = block;
  worker.done.view.emplace(
      BlockView{block, first, plan.network().batch, plan, *replica, *batch, *worker.stream, result});
  return &worker.done;
}

Status Blocks::combine(int, const MapResult& result) {
  return visitor_.block(*static_cast<const Worker::Done&>(result).view);
}

Result<const PassResult*> Blocks::reduce() {
  if (is_finished() && visitor_.end) PLAIT_TRY(visitor_.end());
  return &result_;
}

}  // namespace plait::inline train
