#include "train/round.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "graph/arena.h"

namespace plait {
namespace {

constexpr int kMostAttempts = 8;
constexpr int kNoShard = -1;

}  // namespace

struct Rounds::Slot {
  int first = kNoShard;    // shard that this slot begins every round with
  int shard = kNoShard;    // of the task under way
  int claimed = kNoShard;  // the task after it, its first batch already wanted
  bool fresh = true;       // has not begun its first task of this round
  int64_t done = 0;        // local steps of the task under way
};

std::vector<int> shards_of(int rank, int ranks, int shards) {
  std::vector<int> mine;
  for (int k = rank; k < shards; k += ranks) mine.push_back(k);
  return mine;
}

Rounds::Rounds(const RoundNumbers& numbers, const RoundParts& parts, Transport& transport)
    : numbers_(numbers),
      parts_(parts),
      plan_(parts.plans->whole()),
      transport_(transport),
      mine_(shards_of(transport.rank(), transport.size(), numbers.shards)),
      segments_(value_segments(plan_)),
      update_(parts.outer_optimizer ? *parts.outer_optimizer : *parts.optimizer, plan_, parts.threads),
      mean_(plan_.arena_elements()),
      results_(static_cast<size_t>(numbers.shards)) {}

Rounds::~Rounds() = default;

Result<std::unique_ptr<Rounds>> Rounds::create(const RoundNumbers& numbers, const RoundParts& parts,
                                               Transport& transport) {
  if (numbers.sync == Sync::kGradients && numbers.local_steps != 1) {
    return Status(Code::kInvalid, "gradients are summed at every step: local_steps is " +
                                      std::to_string(numbers.local_steps) + ", wanted 1");
  }
  std::unique_ptr<Rounds> rounds(new Rounds(numbers, parts, transport));
  const bool average = numbers.sync == Sync::kWeights && numbers.inner_state == InnerState::kAverage;
  const std::vector<SlotInfo> averaged = average ? parts.optimizer->slots() : std::vector<SlotInfo>();
  PLAIT_ASSIGN(rounds->sums_, RoundSums::create(rounds->plan_, averaged, parts.reducer->total_weight()));
  PLAIT_TRY(rounds->make_workers());
  return rounds;
}

Status Rounds::make_workers() {
  const int slots =
      std::min(std::max(1, parts_.threads / plan_.options().lanes), static_cast<int>(mine_.size()));
  MapWorker::Setup setup{parts_.plans,
                         parts_.device,
                         parts_.reader,
                         parts_.order,
                         numbers_.sync == Sync::kWeights ? parts_.optimizer : nullptr,
                         numbers_.seed,
                         parts_.profile};
  slots_ = std::make_unique<Slot[]>(static_cast<size_t>(slots));
  for (int s = 0; s < slots; ++s) {
    slots_[static_cast<size_t>(s)].first = mine_[static_cast<size_t>(s)];
    PLAIT_ASSIGN(auto worker, MapWorker::create(setup));
    workers_.push_back(std::move(worker));
  }
  RoundGraph::Work& work = *this;
  graph_ = std::make_unique<RoundGraph>(slots, work);
  return {};
}

// ---- the tasks of this rank

int64_t Rounds::position(int64_t step, int shard) const {
  return (step * numbers_.shards + shard) * numbers_.batch;
}

int Rounds::claim() {
  const size_t i = next_.fetch_add(1, std::memory_order_relaxed);
  return i < mine_.size() ? mine_[i] : kNoShard;
}

// The batch that this slot needs after the present one: of this task, of the next, or of the next round.
int64_t Rounds::next_position(Slot& slot) {
  if (slot.done + 1 < steps_) return position(state_->step + slot.done + 1, slot.shard);
  slot.claimed = claim();
  if (slot.claimed != kNoShard) return position(state_->step, slot.claimed);
  const int64_t next_round = state_->step + steps_;
  return next_round < numbers_.total_steps ? position(next_round, slot.first) : -1;
}

bool Rounds::step(int index) {
  if (failed_.load(std::memory_order_relaxed)) return false;
  Slot& slot = slots_[static_cast<size_t>(index)];
  const Status status = advance(slot, *workers_[static_cast<size_t>(index)]);
  if (!status) {
    std::lock_guard lock(failure_mutex_);
    if (failure_) failure_ = status;
    failed_ = true;
    return false;
  }
  return slot.shard != kNoShard || slot.claimed != kNoShard;
}

Status Rounds::advance(Slot& slot, MapWorker& worker) {
  if (slot.shard == kNoShard) PLAIT_TRY(begin_task(slot, worker));
  const size_t fields = parts_.optimizer->runtime_fields();
  const std::span<const double> runtime(runtime_.data() + static_cast<size_t>(slot.done) * fields, fields);
  const int64_t step = state_->step + slot.done;
  const int64_t next = next_position(slot);
  PLAIT_TRY(worker.step(position(step, slot.shard), next, step, slot.shard, runtime));
  return ++slot.done == steps_ ? end_task(slot, worker) : Status();
}

Status Rounds::begin_task(Slot& slot, MapWorker& worker) {
  slot.shard = slot.fresh ? slot.first : slot.claimed;
  slot.fresh = false;
  slot.claimed = kNoShard;
  slot.done = 0;
  return worker.load(*state_);
}

Status Rounds::end_task(Slot& slot, MapWorker& worker) {
  PLAIT_TRY(worker.finish(*state_));
  const TaskResult& result = worker.result();
  results_[static_cast<size_t>(slot.shard)] = result;
  PLAIT_TRY(
      parts_.reducer->check_weight(slot.shard, result.samples > 0 ? result.loss_sum / result.samples : 0));
  if (parts_.reducer->gathers()) {
    parts_.reducer->keep(slot.shard, worker.values().first(plan_.trained_elements()));
  }
  PLAIT_TRY(
      worker.blame(sums_->accumulate(worker.values(), worker.slots(), parts_.reducer->weight(slot.shard))));
  slot.shard = kNoShard;
  return {};
}

void Rounds::run_tasks() {
  sums_->begin();
  parts_.reducer->begin();
  next_ = workers_.size();
  for (size_t s = 0; s < workers_.size(); ++s) {
    slots_[s].shard = slots_[s].claimed = kNoShard;
    slots_[s].fresh = true;
  }
  skipped_before_ = skipped();
  graph_->run();
}

// ---- a round

Status Rounds::runtime_of_steps() {
  const size_t fields = parts_.optimizer->runtime_fields();
  runtime_.resize(static_cast<size_t>(steps_) * fields);
  for (int64_t s = 0; s < steps_; ++s) {
    const Progress progress{state_->step + s, numbers_.total_steps, numbers_.steps_per_epoch};
    PLAIT_TRY(parts_.optimizer->runtime(
        progress, std::span(runtime_).subspan(static_cast<size_t>(s) * fields, fields)));
  }
  return {};
}

Result<RoundResult> Rounds::run(RoundState& state, int64_t most_steps, bool stop) {
  FloatState float_state;
  state_ = &state;
  steps_ = std::min<int64_t>(numbers_.local_steps, most_steps);
  PLAIT_TRY(runtime_of_steps());
  if (!state.exponents.empty()) PLAIT_TRY(sums_->restore(state.exponents));
  PLAIT_ASSIGN(const bool redone, reduce_until_done());
  PLAIT_ASSIGN(RoundResult result, tally(stop));
  result.redone = redone;
  PLAIT_TRY(outer_step(state));
  sums_->save(state.exponents);
  state.round += 1;
  state.step += steps_;
  return result;
}

// Tasks are pure: doing them again with exponents that fit gives the same values.
Result<bool> Rounds::reduce_until_done() {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    transport_.set_attempt({static_cast<uint32_t>(state_->round), static_cast<uint32_t>(attempt)});
    run_tasks();
    if (failed_) return failure_;
    PLAIT_ASSIGN(const ExactSum::Outcome outcome, sums_->reduce(transport_));
    if (outcome == ExactSum::Outcome::kDone) return attempt > 0;
  }
  return Status(Code::kNumeric, "round " + std::to_string(state_->round) + ": the sums did not fit after " +
                                    std::to_string(kMostAttempts) + " attempts");
}

int64_t Rounds::skipped() const {
  int64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->skipped_records();
  return sum;
}

// The losses travel as bits, each from the one rank that has it, and are added in shard order everywhere.
Result<RoundResult> Rounds::tally(bool stop) {
  const size_t shards = results_.size(), ranks = static_cast<size_t>(transport_.size());
  std::vector<int64_t>& table = table_;
  table.assign(2 * shards + ranks + 2, 0);
  for (int k : mine_) {
    const TaskResult& task = results_[static_cast<size_t>(k)];
    table[static_cast<size_t>(k)] = std::bit_cast<int64_t>(task.loss_sum);
    table[shards + static_cast<size_t>(k)] = std::bit_cast<int64_t>(task.samples);
  }
  table[2 * shards + static_cast<size_t>(transport_.rank())] = static_cast<int64_t>(mine_.size());
  table[2 * shards + ranks] = skipped() - skipped_before_;
  table[2 * shards + ranks + 1] = stop ? 1 : 0;
  PLAIT_TRY(transport_.all_reduce_sum(std::span(table)));
  RoundResult result;
  double loss = 0, samples = 0;
  for (size_t k = 0; k < shards; ++k) {
    loss += std::bit_cast<double>(table[k]);
    samples += std::bit_cast<double>(table[shards + k]);
  }
  result.loss = samples > 0 ? loss / samples : 0;
  result.steps = steps_;
  result.samples = steps_ * numbers_.shards * numbers_.batch;
  result.tasks_by_rank.assign(table.begin() + static_cast<int64_t>(2 * shards), table.end() - 2);
  result.skipped_records = table[2 * shards + ranks];
  result.stop = table[2 * shards + ranks + 1] != 0;
  return result;
}

// ---- after the reduce, on every rank alike

Status Rounds::outer_step(RoundState& state) {
  sums_->mean(mean_.span());
  const uint64_t trained = plan_.trained_elements();
  if (parts_.reducer->gathers()) {
    PLAIT_TRY(parts_.reducer->combine(transport_, mean_.span().first(trained)));
  }
  take_buffers(state);
  if (numbers_.sync == Sync::kWeights) {
    sums_->mean_slots(state.slots);
    return follow_mean(state);
  }
  return update_.run(state.step, runtime_, mean_.data(), state.weights, state.slots);
}

Status Rounds::follow_mean(RoundState& state) {
  const uint64_t trained = plan_.trained_elements();
  float* mean = mean_.data();
  if (parts_.outer_optimizer == nullptr) {
    float* weights = state.weights.data();
    for (uint64_t i = 0; i < trained; ++i) weights[i] += mean[i];
    return {};
  }
  for (uint64_t i = 0; i < trained; ++i) mean[i] = -mean[i];
  std::vector<double> runtime(parts_.outer_optimizer->runtime_fields());
  const int64_t rounds = (numbers_.total_steps + numbers_.local_steps - 1) / numbers_.local_steps;
  const Progress progress{state.round, rounds, numbers_.steps_per_epoch / numbers_.local_steps};
  PLAIT_TRY(parts_.outer_optimizer->runtime(progress, runtime));
  return update_.run(state.round, runtime, mean, state.weights, state.outer_slots);
}

void Rounds::take_buffers(RoundState& state) {
  for (const Segment& segment : segments_) {
    if (segment.offset < plan_.buffers_offset() || segment.rule == ReduceRule::kNone) continue;
    std::copy_n(mean_.data() + segment.offset, segment.count, state.weights.data() + segment.offset);
  }
}

}  // namespace plait
