#include "train/round.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "graph/arena.h"
#include "train/ranks.h"

namespace plait::inline train {
namespace {

// By squares: a library's pow may round otherwise elsewhere.
double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base)
    if (exponent % 2 == 1) result *= base;
  return result;
}

}  // namespace

struct Rounds::Cursor {
  int64_t done = 0;     // batches of the task under way; 0: it has not begun
  bool spoilt = false;  // the task under way has failed in its numbers: the reducer leaves it out
};

Rounds::Rounds(const RoundNumbers& numbers, const RoundParts& parts, Transport& transport)
    : numbers_(numbers),
      parts_(parts),
      plan_(parts.plans->whole()),
      transport_(transport),
      rules_(plan_, numbers.clip),
      segments_(value_segments(plan_)),
      gathered_(plan_, averaged_slots(*parts.optimizer, numbers.sync, numbers.inner_state)),
      scheduler_(transport.rank(), transport.size(), &parts.work->cancelled()),
      update_(parts.outer_optimizer ? *parts.outer_optimizer : *parts.optimizer, plan_,
              parts.outer_optimizer ? HostUpdate::Rates::kSame : HostUpdate::Rates::kOfParameters,
              parts.threads),
      results_(static_cast<size_t>(numbers.shards)) {}

Rounds::~Rounds() = default;

std::vector<SlotInfo> averaged_slots(const OptimizerInstance& optimizer, Sync sync, InnerState inner_state) {
  const bool average = sync == Sync::kWeights && inner_state == InnerState::kAverage;
  return average ? optimizer.slots() : std::vector<SlotInfo>();
}

bool keeps_gradients(const RoundNumbers& numbers, const RoundParts& parts, size_t workers, int ranks) {
  const Plan& plan = parts.plans->whole();
  return numbers.sync == Sync::kGradients && !parts.reducer->gathers() && ranks == 1 &&
         parts.device->host_memory() && plan.buffers_offset() == plan.arena_elements() &&
         workers == static_cast<size_t>(numbers.shards) && !GradientRules(plan, numbers.clip).any() &&
         KeptMean::is_possible(parts.reducer->total_weight());
}

bool takes_whole_result(const RoundNumbers& numbers, const RoundParts& parts, int ranks) {
  return numbers.shards == 1 && numbers.sync == Sync::kWeights && parts.outer_optimizer == nullptr &&
         !parts.reducer->gathers() && parts.reducer->total_weight() == 1 && ranks == 1 &&
         parts.device->host_memory();
}

Result<std::unique_ptr<Rounds>> Rounds::create(const RoundNumbers& numbers, const RoundParts& parts,
                                               Transport& transport) {
  if (numbers.sync == Sync::kGradients && numbers.local_steps != 1) {
    return Status(Code::kInvalid, "gradients are summed at every step: local_steps is " +
                                      std::to_string(numbers.local_steps) + ", wanted 1");
  }
  std::unique_ptr<Rounds> rounds(new Rounds(numbers, parts, transport));
  PLAIT_TRY(rounds->make_sums());
  PLAIT_TRY(rounds->make_workers());
  rounds->make_graph();
  return rounds;
}

Status Rounds::make_sums() {
  const std::vector<SlotInfo> averaged =
      averaged_slots(*parts_.optimizer, numbers_.sync, numbers_.inner_state);
  for (const SlotInfo& slot : averaged) averaged_.push_back(is_reduced(slot.reduce));
  if (takes_whole_result(numbers_, parts_, transport_.size())) {
    std::vector<std::vector<Segment>> slots(parts_.optimizer->slots().size());
    for (size_t s = 0; s < averaged.size(); ++s)
      if (averaged_[s]) slots[s] = slot_segments(plan_, averaged[s]);
    alone_ =
        std::make_unique<WholeResult>(segments_, std::move(slots), plan_.buffers_offset(), parts_.threads);
    return {};
  }
  mean_ = HostArena(plan_.arena_elements());
  if (keeps_gradients(numbers_, parts_, count_workers(), transport_.size())) {
    std::vector<Segment> trained = segments_;
    std::erase_if(trained, [](const Segment& segment) { return segment.rule != ReduceRule::kMean; });
    kept_ = std::make_unique<KeptMean>(std::move(trained), parts_.reducer->total_weight(), results_.size());
    return {};
  }
  if (parts_.reducer->gathers()) return {};
  PLAIT_ASSIGN(sums_, RoundSums::create(plan_, averaged, parts_.reducer->total_weight(), parts_.device));
  if (!sums_->is_there()) return {};
  const size_t slots = numbers_.sync == Sync::kWeights ? parts_.optimizer->slots().size() : 0;
  PLAIT_ASSIGN(start_,
               RoundStart::create(*parts_.device, plan_.arena_elements(), plan_.trained_elements(), slots));
  return {};
}

size_t Rounds::count_workers() const {
  const int64_t mine = Scheduler::count_of(transport_.rank(), transport_.size(), {0, numbers_.shards});
  return static_cast<size_t>(std::min<int64_t>(std::max(1, parts_.threads / plan_.options().lanes), mine));
}

Status Rounds::make_workers() {
  const size_t workers = count_workers();
  MapWorker::Setup setup{parts_.plans,
                         parts_.device,
                         parts_.reader,
                         parts_.order,
                         numbers_.sync == Sync::kWeights ? parts_.optimizer : nullptr,
                         takes_weights(),
                         numbers_.accumulate,
                         rules_.any() && numbers_.sync == Sync::kWeights ? &rules_ : nullptr,
                         numbers_.seed,
                         parts_.profile,
                         &parts_.work->cancelled(),
                         sums_ && sums_->is_there() ? sums_.get() : nullptr,
                         start_.get(),
                         kept_ ? parts_.weights : nullptr};
  cursors_ = std::make_unique<Cursor[]>(workers);
  for (size_t w = 0; w < workers; ++w) {
    PLAIT_ASSIGN(auto worker, MapWorker::create(setup));
    workers_.push_back(std::move(worker));
  }
  return {};
}

void Rounds::make_graph() {
  std::vector<StageNode> nodes = {
      {"outer step", [this](const PassResult&) { return outer_step(); }},
      {"report", [this](const PassResult&) { return follower_->report(result_); }},
      {"evaluate", [this](const PassResult&) { return follower_->evaluate(); }},
      {"checkpoint", [this](const PassResult&) { return follower_->save(); }},
  };
  StageWork& stage = *this;
  graph_ = std::make_unique<StageGraph>(stage, std::move(nodes), replicas(), scheduler_, *parts_.work);
}

bool Rounds::is_reduced_buffer(const Segment& segment) const {
  return segment.offset >= plan_.buffers_offset() && segment.rule != ReduceRule::kNone;
}

// One shard's weights need no delta, which would round them.
bool Rounds::takes_weights() const {
  return numbers_.shards == 1 && numbers_.sync == Sync::kWeights && parts_.outer_optimizer == nullptr &&
         !parts_.reducer->gathers();
}

bool Rounds::slots_begin_anew() const {
  return numbers_.sync == Sync::kWeights &&
         (numbers_.inner_state == InnerState::kReset || parts_.optimizer->resets_slots());
}

// ---- the tasks of this rank

int64_t Rounds::position(int64_t step, int64_t shard, int64_t part) const {
  return ((step * numbers_.shards + shard) * numbers_.accumulate + part) * numbers_.batch;
}

// The batch that this worker needs after the present one: of this task, of the next, or of the next round.
int64_t Rounds::next_position(int worker, int64_t shard) {
  const int64_t next = cursors_[static_cast<size_t>(worker)].done + 1, parts = numbers_.accumulate;
  if (next < steps_ * parts) return position(state_->step + next / parts, shard, next % parts);
  const int64_t ahead = scheduler_.ahead(worker);
  if (ahead != Scheduler::kNone) return position(state_->step, ahead, 0);
  const int64_t next_round = state_->step + steps_;
  return next_round < numbers_.total_steps ? position(next_round, scheduler_.first_of(worker), 0) : -1;
}

Result<const MapResult*> Rounds::map(int index, int64_t shard) {
  Cursor& cursor = cursors_[static_cast<size_t>(index)];
  MapWorker& worker = *workers_[static_cast<size_t>(index)];
  if (cursor.done == 0) {
    cursor.spoilt = false;
    PLAIT_TRY(worker.load(*state_));
  }
  PLAIT_TRY(step(cursor, shard, worker, next_position(index, shard)));
  if (++cursor.done < steps_ * numbers_.accumulate) return nullptr;
  cursor.done = 0;
  TaskResult& result = results_[static_cast<size_t>(shard)];
  result = worker.result();
  result.task = shard;
  return &result;
}

Status Rounds::step(Cursor& cursor, int64_t shard, MapWorker& worker, int64_t next) {
  const size_t fields = parts_.optimizer->runtime_fields();
  const int64_t local = cursor.done / numbers_.accumulate, part = cursor.done % numbers_.accumulate;
  const std::span<const double> runtime(runtime_.data() + static_cast<size_t>(local) * fields, fields);
  const int64_t step = state_->step + local, at = position(step, shard, part);
  const int64_t updates = slots_begin_anew() ? local : step;
  if (cursor.spoilt) return worker.skip(at, next);
  const int number = static_cast<int>(shard);
  const Status status = worker.step(at, next, step, static_cast<int>(part), number, runtime, updates);
  cursor.spoilt = status.code() == Code::kNumeric && parts_.reducer->gathers();
  if (!cursor.spoilt) return status;
  note_left_out(number, status);
  return {};
}

Status Rounds::combine(int index, const MapResult& mapped) {
  const Cursor& cursor = cursors_[static_cast<size_t>(index)];
  MapWorker& worker = *workers_[static_cast<size_t>(index)];
  const int shard = static_cast<int>(mapped.task);
  if (parts_.reducer->gathers()) return gather(cursor, shard, worker);
  PLAIT_TRY(worker.finish(*state_));
  const TaskResult& result = results_[static_cast<size_t>(shard)];
  PLAIT_TRY(parts_.reducer->check_weight(shard, result.samples > 0 ? result.loss_sum / result.samples : 0));
  const int32_t weight = parts_.reducer->weight(shard);
  if (alone_) return worker.blame(alone_->check(worker.values(), worker.slots()));
  if (kept_) return worker.blame(kept_->keep(static_cast<size_t>(shard), worker.values(), weight));
  if (sums_->is_there()) return worker.blame(sums_->accumulate(worker.result_there(), weight));
  return worker.blame(sums_->accumulate(worker.values(), worker.slots(), weight));
}

// All that comes out of a shard goes through a gathering reducer: trained parameters, buffers, slots.
Status Rounds::gather(const Cursor& cursor, int shard, MapWorker& worker) {
  if (cursor.spoilt) {
    TaskResult& result = results_[static_cast<size_t>(shard)];
    result = {};
    result.losses.assign(plan_.losses().size(), 0);
    parts_.reducer->leave_out(shard, gathered_.lengths());
    return {};
  }
  PLAIT_TRY(worker.finish(*state_));
  const uint64_t trained = plan_.trained_elements();
  std::vector<std::span<const float>> parts = {worker.values().first(trained)};
  for (const Segment& segment : segments_)
    if (is_reduced_buffer(segment)) parts.push_back(worker.values().subspan(segment.offset, segment.count));
  for (size_t s = 0; s < averaged_.size(); ++s)
    if (averaged_[s]) parts.push_back({worker.slots()[s], trained});
  if (!parts_.reducer->keep(shard, parts))
    note_left_out(shard, worker.blame({Code::kNumeric, "its result has values that are not finite"}));
  return {};
}

void Rounds::note_left_out(int shard, const Status& why) {
  const std::lock_guard lock(left_out_mutex_);
  left_out_[shard] = why.message();
}

// ---- a round

Status Rounds::runtime_of_steps() {
  const size_t fields = parts_.optimizer->runtime_fields();
  runtime_.resize(static_cast<size_t>(steps_) * fields);
  for (int64_t s = 0; s < steps_; ++s) {
    const Progress progress{state_->step + s, numbers_.total_steps, numbers_.steps_per_epoch,
                            follower_->evaluations()};
    PLAIT_TRY(parts_.optimizer->runtime(
        progress, std::span(runtime_).subspan(static_cast<size_t>(s) * fields, fields)));
  }
  return {};
}

Status Rounds::run(RoundState& state, RoundFollower& follower) {
  state_ = &state;
  follower_ = &follower;
  return graph_->run(state.round);
}

Result<StageWork::Pass> Rounds::begin(int64_t number) {
  FloatState float_state;
  steps_ = std::min<int64_t>(numbers_.local_steps, follower_->steps_left());
  PLAIT_TRY(runtime_of_steps());
  transport_.set_attempt({static_cast<uint32_t>(number), 0});
  if (sums_) PLAIT_TRY(sums_->begin());
  if (kept_) kept_->begin();
  if (start_) PLAIT_TRY(start_->load(*state_));
  parts_.reducer->begin();
  left_out_.clear();
  std::fill_n(cursors_.get(), workers_.size(), Cursor());
  skipped_before_ = skipped();
  return Pass{{0, numbers_.shards}, replicas()};
}

Result<const PassResult*> Rounds::reduce() {
  FloatState float_state;
  if (sums_) PLAIT_TRY(sums_->reduce(transport_));
  if (kept_) PLAIT_TRY(kept_->check_complete());
  PLAIT_TRY(tally());
  return &result_;
}

Status Rounds::outer_step() {
  FloatState float_state;
  const Status done = make_weights(*state_);
  if (!done && result_.left_out > 0) return {done.code(), done.message() + "; " + result_.why_left_out};
  PLAIT_TRY(done);
  move_average(*state_);
  state_->round += 1;
  state_->step += steps_;
  return {};
}

int64_t Rounds::skipped() const {
  int64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->skipped_records();
  return sum;
}

// The losses travel as bits, each from the one rank that has it, and are added in shard order everywhere.
Status Rounds::tally() {
  const size_t shards = results_.size(), ranks = static_cast<size_t>(transport_.size());
  const size_t losses = plan_.losses().size(), by_loss = 2 * shards + ranks + 2;
  std::vector<int64_t>& table = table_;
  table.assign(by_loss + losses * shards, 0);
  const size_t rank = static_cast<size_t>(transport_.rank());
  for (size_t k = rank; k < shards; k += ranks) {
    const TaskResult& task = results_[k];
    table[k] = std::bit_cast<int64_t>(task.loss_sum);
    table[shards + k] = std::bit_cast<int64_t>(task.samples);
    for (size_t i = 0; i < losses; ++i)
      table[by_loss + i * shards + k] = std::bit_cast<int64_t>(task.losses[i]);
  }
  table[2 * shards + rank] = scheduler_.counters().done;
  table[2 * shards + ranks] = skipped() - skipped_before_;
  table[2 * shards + ranks + 1] = static_cast<int64_t>(left_out_.size());
  PLAIT_TRY(transport_.all_reduce_sum(std::span(table)));
  RoundResult& result = result_;
  result = {};
  double loss = 0, samples = 0;
  outcomes_.clear();
  for (size_t k = 0; k < shards; ++k) {
    const auto its_loss = std::bit_cast<double>(table[k]),
               its_samples = std::bit_cast<double>(table[shards + k]);
    loss += its_loss;
    samples += its_samples;
    outcomes_.push_back(its_samples > 0
                            ? Reducer::Outcome{its_loss / its_samples, static_cast<int64_t>(its_samples)}
                            : Reducer::Outcome{std::numeric_limits<double>::infinity(), 0});
  }
  result.loss = samples > 0 ? loss / samples : 0;
  for (size_t i = 0; i < losses; ++i) {
    double sum = 0;
    for (size_t k = 0; k < shards; ++k) sum += std::bit_cast<double>(table[by_loss + i * shards + k]);
    result.losses.push_back(samples > 0 ? sum / samples : 0);
  }
  result.steps = steps_;
  result.samples = steps_ * numbers_.step_samples();
  const auto by_rank = table.begin() + static_cast<int64_t>(2 * shards);
  result.tasks_by_rank.assign(by_rank, by_rank + static_cast<int64_t>(ranks));
  result.skipped_records = table[2 * shards + ranks];
  result.left_out = table[2 * shards + ranks + 1];
  if (result.left_out > 0) {
    const std::string mine = left_out_.empty() ? "" : left_out_.begin()->second;
    PLAIT_ASSIGN(result.why_left_out, first_text(transport_, mine));
  }
  return {};
}

// ---- after the reduce, on every rank alike

Status Rounds::gather_all(RoundState& state) {
  const uint64_t trained = plan_.trained_elements();
  std::vector<HostArena> slots;
  std::vector<std::span<float>> parts = {mean_.span().first(trained)};
  for (const Segment& segment : segments_)
    if (is_reduced_buffer(segment)) parts.push_back(mean_.span().subspan(segment.offset, segment.count));
  for (size_t s = 0; s < averaged_.size(); ++s) slots.emplace_back(averaged_[s] ? trained : 0);
  for (size_t s = 0; s < averaged_.size(); ++s)
    if (averaged_[s]) parts.push_back(slots[s].span());
  Reducer& reducer = *parts_.reducer;
  PLAIT_TRY(reducer.takes_whole() ? reducer.combine_whole(transport_, gathered_, state.round, outcomes_,
                                                          state.reducer_states, parts)
                                  : reducer.combine(transport_, parts));
  for (size_t s = 0; s < averaged_.size(); ++s)
    if (averaged_[s]) state.slots[s] = std::move(slots[s]);
  return {};
}

// One pass, piece by piece in a core's cache: the mean gradient and the step. The replicas read the weights
// where they are.
Status Rounds::update_by_kept(RoundState& state) {
  PLAIT_TRY(update_.run(
      state.step, runtime_, result_.loss, mean_.data(), state.weights, state.slots,
      [&](uint64_t first, uint64_t count) { kept_->write(first, mean_.span().subspan(first, count)); }));
  for (const auto& worker : workers_) worker->weights_changed();
  return {};
}

Status Rounds::make_weights(RoundState& state) {
  if (kept_) return update_by_kept(state);
  if (alone_) {
    alone_->take(state);
    if (alone_->is_all()) workers_.front()->keeps_result(state.round);
    return {};
  }
  if (sums_) {
    PLAIT_TRY(sums_->mean(mean_.span()));
    if (numbers_.sync == Sync::kWeights) PLAIT_TRY(sums_->mean_slots(state.slots));
  } else {
    PLAIT_TRY(gather_all(state));
  }
  take_buffers(state);
  if (numbers_.sync == Sync::kWeights) return follow_mean(state);
  PLAIT_TRY(rules_.apply(mean_.data(), state.weights.data()));
  return update_.run(state.step, runtime_, result_.loss, mean_.data(), state.weights, state.slots);
}

Status Rounds::follow_mean(RoundState& state) {
  const uint64_t trained = plan_.trained_elements();
  float* mean = mean_.data();
  float* weights = state.weights.data();
  if (takes_weights()) {
    std::copy_n(mean, trained, weights);
    return {};
  }
  if (parts_.outer_optimizer == nullptr) {
    for (uint64_t i = 0; i < trained; ++i) weights[i] += mean[i];
    return {};
  }
  for (uint64_t i = 0; i < trained; ++i) mean[i] = -mean[i];
  std::vector<double> runtime(parts_.outer_optimizer->runtime_fields());
  const int64_t rounds = (numbers_.total_steps + numbers_.local_steps - 1) / numbers_.local_steps;
  const Progress progress{state.round, rounds, numbers_.steps_per_epoch / numbers_.local_steps};
  PLAIT_TRY(parts_.outer_optimizer->runtime(progress, runtime));
  constexpr double kNoLoss = std::numeric_limits<double>::quiet_NaN();
  return update_.run(state.round, runtime, kNoLoss, mean, state.weights, state.outer_slots);
}

void Rounds::move_average(RoundState& state) const {
  if (numbers_.average_decay < 0) return;
  const uint64_t trained = plan_.trained_elements();
  const float* const weights = state.weights.data();
  float* const average = state.average.data();
  if (state.round == 0) {
    std::copy_n(weights, trained, average);
    return;
  }
  const double share = 1 - power(numbers_.average_decay, steps_);
  for (uint64_t i = 0; i < trained; ++i) {
    const double before = average[i];
    average[i] = static_cast<float>(before + share * (static_cast<double>(weights[i]) - before));
  }
}

void Rounds::take_buffers(RoundState& state) {
  for (const Segment& segment : segments_)
    if (is_reduced_buffer(segment))
      std::copy_n(mean_.data() + segment.offset, segment.count, state.weights.data() + segment.offset);
}

}  // namespace plait::inline train
