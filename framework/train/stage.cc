#include "train/stage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

#include "base/checked.h"
#include "pipeline/load.h"
#include "pipeline/report_names.h"
#include "train/class_check.h"
#include "train/compile_plan.h"
#include "train/init_file.h"
#include "train/ranks.h"
#include "train/stage_init.h"

namespace plait::inline train {
namespace {

constexpr double kMostCountedSteps = 0x1p53;  // exact as double

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

}  // namespace

double RunContext::seconds() const { return seconds_before + seconds_of(clock.now() - begin); }

Stage::Stage(RunContext& run, const Job& job, int number, bool pretraining)
    : run_(run), job_(job), number_(number), pretraining_(pretraining) {}

Stage::~Stage() = default;

// Opening may read all of a file, and wait for a disk.
Status Stage::open_data() {
  const TrainSpec& train = job_.train;
  PLAIT_ASSIGN(const int64_t repeat,
               checked_product("--overfit-batches", "samples",
                               {run_.options.overfit_batches, train.shards, train.batch, train.accumulate}));
  return run_.work.run([this, repeat]() -> Status {
    PLAIT_ASSIGN(data_, JobData::open(run_.registry, job_, repeat, &run_.work.cancelled()));
    return {};
  });
}

Status Stage::open() {
  const TrainSpec& train = job_.train;
  PLAIT_TRY(open_data());
  if (!pretraining_ && run_.data_opened) PLAIT_TRY(run_.data_opened(*data_));
  PLAIT_TRY(count_steps());
  PLAIT_TRY(make_plan());
  PLAIT_TRY(check_inits(job_, network()));
  if (!pretraining_) PLAIT_TRY(check_matches(job_, network()));
  PLAIT_TRY(read_files());
  PLAIT_TRY(check_classes(run_.registry, job_, *plan_, data_->training().classes(), run_.device));
  PLAIT_TRY(make_optimizers());
  PLAIT_ASSIGN(reducer_, Reducer::create(run_.registry, job_.reducer, train.shards,
                                         train.local_steps * numbers_.shard_samples()));
  gathered_ = std::make_unique<GatheredLayout>(
      *plan_, averaged_slots(*optimizer_, numbers_.sync, numbers_.inner_state));
  return make_evaluators();
}

// Which may wait for a disk, as opening data.
Status Stage::read_files() {
  return run_.work.run([this]() -> Status {
    PLAIT_ASSIGN(from_files_, init_from_files(run_.registry, job_, network()));
    return {};
  });
}

Status Stage::make_state() {
  PLAIT_ASSIGN(state_, initial_state(*plan_, job_.seed, *optimizer_, outer_.get()));
  PLAIT_ASSIGN(state_.reducer_states, initial_reducer_states(*gathered_, reducer_->states()));
  if (job_.train.averages()) state_.average = HostArena(plan_->trained_elements());
  const NamedTensors from_files = std::exchange(from_files_, {});
  return from_files.empty() ? Status() : begin_with(from_files).status();
}

RoundParts Stage::round_parts() const {
  RoundParts parts;
  parts.plans = plans_.get();
  parts.device = &run_.device;
  parts.reader = &data_->training();
  parts.order = &data_->order();
  parts.optimizer = optimizer_.get();
  parts.outer_optimizer = outer_.get();
  parts.reducer = reducer_.get();
  parts.work = &run_.work;
  parts.threads = run_.threads;
  parts.profile = run_.options.profile;
  return parts;
}

Status Stage::make_rounds() {
  RoundParts parts = round_parts();
  parts.weights = state_.weights.data();
  PLAIT_ASSIGN(rounds_, Rounds::create(numbers_, parts, run_.transport));
  return {};
}

// An epoch is n / (K B) steps, a fraction where that does not divide.
Status Stage::count_steps() {
  const TrainSpec& train = job_.train;
  const double step_samples = static_cast<double>(train.shards) * train.batch * train.accumulate;
  numbers_ = {train.shards, train.local_steps, train.batch, train.accumulate,   job_.seed, 1, 1,
              train.sync,   train.inner_state, train.clip,  train.average_decay};
  numbers_.steps_per_epoch = static_cast<double>(data_->training_records()) / step_samples;
  const double from_epochs = std::floor(train.epochs * numbers_.steps_per_epoch + 0.5);
  if (train.steps == 0 && from_epochs > kMostCountedSteps)
    return {Code::kInvalid, job_.name + ": train.epochs are " + number_text(from_epochs) +
                                " steps of a shard, wanted at most 2^53"};
  numbers_.total_steps =
      train.steps > 0 ? train.steps : std::max<int64_t>(1, static_cast<int64_t>(from_epochs));
  PLAIT_TRY(check_samples());
  const int64_t most = run_.options.max_steps,
                round = std::min<int64_t>(train.local_steps, numbers_.total_steps);
  const bool is_first = number_ == 0 && (pretraining_ || job_.pretrain.empty());
  if (!is_first || most == 0 || most >= round) return {};
  return {Code::kUsage, fmt::format("--max-steps {}: a round of \"{}\" has {} steps, and a run ends with a "
                                    "whole round; wanted {} or more (or fewer train.local_steps)",
                                    most, job_.name, round, round)};
}

// The last round may look one round ahead. Both fields are at most 2^53.
Status Stage::check_samples() const {
  const TrainSpec& train = job_.train;
  const int64_t steps = numbers_.total_steps + 2 * train.local_steps;
  if (checked_product("", "", {steps, train.shards, train.batch, train.accumulate})) return {};
  const double samples =
      static_cast<double>(steps) * train.shards * train.batch * static_cast<double>(train.accumulate);
  return {
      Code::kInvalid,
      fmt::format("{}: train: (steps {}{} + 2 x local_steps {}) x shards {} x batch {}{} = {:.3g} samples, "
                  "more than 64 bits count (9.22e+18)",
                  job_.name, numbers_.total_steps,
                  train.steps > 0 ? "" : fmt::format(" of epochs {:g}", train.epochs), train.local_steps,
                  train.shards, train.batch,
                  train.accumulate > 1 ? fmt::format(" x accumulate {}", train.accumulate) : "", samples)};
}

Status Stage::make_plan() {
  const PlanPurpose purpose{job_.train.batch, true, job_.train.buckets};
  PLAIT_ASSIGN(plans_, compile_plans(run_.registry, job_, data_->training().parts(), purpose, run_.device));
  plan_ = &plans_->whole();
  if (plan_->losses().empty()) return {Code::kInvalid, job_.name + ": there is no loss to train by"};
  return agree_same(run_.transport, "the compiled network of \"" + job_.name + "\"", plan_->digest());
}

Status Stage::make_optimizers() {
  if (!job_.optimizer) return {Code::kInvalid, job_.name + ": there is no optimizer to train with"};
  const bool in_tasks = job_.train.sync == Sync::kWeights;
  PLAIT_ASSIGN(optimizer_, OptimizerInstance::create(run_.registry, job_.optimizer, job_.schedules,
                                                     in_tasks ? run_.device.kernels() : PLAIT_HOST_DEVICE));
  if (optimizer_->plain() && in_tasks) PLAIT_TRY(check_plain_order());
  if (optimizer_->moves() && !in_tasks) {
    return {Code::kInvalid,
            error_at(job_.optimizer.where,
                     optimizer_->id() + " takes a second gradient in each step of a shard: got train { sync: "
                                        "gradients }, wanted sync: weights")};
  }
  if (optimizer_->moves() && job_.train.accumulate > 1) {
    return {Code::kInvalid,
            error_at(job_.optimizer.where,
                     optimizer_->id() + " takes a second gradient of each batch: got train { accumulate: " +
                         std::to_string(job_.train.accumulate) + " }, wanted 1")};
  }
  if (!job_.outer_optimizer) return {};
  if (!in_tasks) {
    return {Code::kInvalid, error_at(job_.outer_optimizer.where,
                                     "an outer optimizer takes the change of a round's weights: got train { "
                                     "sync: gradients }, wanted sync: weights")};
  }
  PLAIT_ASSIGN(outer_, OptimizerInstance::create(run_.registry, job_.outer_optimizer, {}, PLAIT_HOST_DEVICE));
  if (!outer_->moves()) return {};
  return {Code::kInvalid, error_at(job_.outer_optimizer.where,
                                   "an outer optimizer has one gradient a round: got " + outer_->id() +
                                       ", which takes a second one, wanted an optimizer that does not")};
}

// A layer's order is turned into the plain one by the host, where the weights are.
Status Stage::check_plain_order() const {
  if (run_.device.host_memory()) return {};
  for (size_t i = 0; i < plan_->parameters().size(); ++i) {
    if (!plan_->parameters()[i].trained || plan_->parameters()[i].step < 0) continue;
    return {Code::kUnsupported,
            error_at(job_.optimizer.where,
                     fmt::format("{} takes whole parameters in plain order: got {}, which its layer keeps in "
                                 "an order of its own in memory of {}; wanted train {{ sync: gradients }}",
                                 optimizer_->id(), network().parameters[i].name, run_.device.id()))};
  }
  return {};
}

BlockParts Stage::block_parts() const {
  BlockParts parts;
  parts.registry = &run_.registry;
  parts.job = &job_;
  parts.device = &run_.device;
  parts.block = job_.evaluate.batch;
  parts.threads = run_.threads;
  parts.work = &run_.work;
  parts.classes = classes_of(data_->training());
  return parts;
}

// The same batches whenever it is run.
Status Stage::make_recalibration() {
  const TrainSpec& train = job_.train;
  if (train.recalibrate == 0 || pretraining_) return {};
  BlockParts parts = block_parts();
  parts.reader = &data_->training();
  parts.order = &data_->order();
  parts.block = train.batch;
  PLAIT_ASSIGN(parts.records, checked_product(job_.name + ": train.recalibrate", "samples",
                                              {train.recalibrate, train.batch}));
  auto made = Recalibration::create(parts, run_.transport);
  if (!made) return {made.status().code(), error_at(train.recalibrate_where, made.status().message())};
  recalibration_ = std::move(made).value();
  return {};
}

Result<std::unique_ptr<Evaluator>> Stage::evaluator_for(const EvaluationSet& set) {
  BlockParts parts = block_parts();
  parts.reader = set.reader;
  parts.order = set.order.get();
  parts.records = set.records();
  PLAIT_ASSIGN(auto evaluator, Evaluator::create(parts, run_.transport));
  PLAIT_TRY(check_weights_fit(evaluator->plan().network(), *set.reader));
  return evaluator;
}

// What augment makes of the training records may have other shapes than what is measured; the weights may
// not.
Status Stage::check_weights_fit(const Network& measured, const SampleReader& reader) const {
  const auto& trained = network().parameters;
  for (size_t i = 0; i < trained.size(); ++i) {
    const ParameterInfo other = i < measured.parameters.size() ? measured.parameters[i] : ParameterInfo();
    if (trained[i].shape == other.shape) continue;
    return {Code::kInvalid,
            fmt::format("{} is {} for training records ({}) and {} for those that are measured ({}): what "
                        "is written in augment is for the first alone",
                        trained[i].name, shape_text(trained[i].shape), parts_text(data_->training().parts()),
                        shape_text(other.shape), parts_text(reader.parts()))};
  }
  return {};
}

// Metrics see records as they are measured.
Result<std::vector<ReportedValue>> Stage::values_of_evaluations() const {
  const SourceClasses classes = classes_of(data_->training());
  for (const auto* evaluator : {&validation_, &test_})
    if (*evaluator) return evaluation_values(run_.registry, (*evaluator)->plan().network(), classes);
  PLAIT_ASSIGN(const Network measured, shape_network(job_, data_->measured_parts(), job_.train.batch));
  return evaluation_values(run_.registry, measured, classes);
}

// Also where nothing is validated: what the file says has to be there.
Status Stage::name_values() {
  PLAIT_ASSIGN(reported_, values_of_evaluations());
  const std::string& wanted = job_.evaluate.monitor;
  if (pretraining_ || wanted.empty()) return {};
  if (std::ranges::find(reported_, wanted, &ReportedValue::name) != reported_.end()) return {};
  std::vector<std::string> names;
  for (const ReportedValue& value : reported_) names.push_back(value.name);
  return {Code::kInvalid,
          error_at(job_.evaluate.monitor_where, not_reported(wanted) + "; " + instead_of(wanted, names))};
}

// Unless the job says: its first metric, else the loss.
void Stage::find_monitor() {
  if (reported_.empty()) return;
  const std::string& wanted = job_.evaluate.monitor;
  const auto found = pretraining_ || wanted.empty()
                         ? reported_.begin()
                         : std::ranges::find(reported_, wanted, &ReportedValue::name);
  monitor_ = found->name;
  higher_is_better_ = found->higher_is_better;
}

Status Stage::make_evaluators() {
  if (data_->validation().records() > 0) {
    PLAIT_ASSIGN(validation_, evaluator_for(data_->validation()));
  }
  if (data_->test().records() > 0 && !pretraining_) {
    PLAIT_ASSIGN(test_, evaluator_for(data_->test()));
  }
  PLAIT_TRY(make_recalibration());
  PLAIT_TRY(name_values());
  if (job_.train.restore_best && !pretraining_ && !validation_)
    return {Code::kInvalid, error_at(job_.train.restore_best_where,
                                     "train.restore_best takes the weights that were best on "
                                     "validations: got a job without any, wanted validation "
                                     "{ ... }")};
  if (validation_) find_monitor();
  return check_monitors();
}

const Plan* Stage::evaluation_plan() const {
  for (const auto* evaluator : {&test_, &validation_})
    if (*evaluator) return &(*evaluator)->plan();
  return nullptr;
}

Status Stage::check_monitors() {
  optimizer_->set_monitor(monitor_);
  for (const Monitored& one : optimizer_->monitored()) PLAIT_TRY(check_monitor(one));
  return {};
}

Status Stage::check_monitor(const Monitored& one) const {
  if (!validation_) {
    return {Code::kInvalid, error_at(one.where, one.schedule + " looks at validations: got a job without "
                                                               "any, wanted validation { ... }")};
  }
  std::vector<std::string> names;
  for (const ReportedValue& value : reported_) names.push_back(value.name);
  const std::string& name = one.name.empty() ? monitor_ : one.name;
  if (std::ranges::count(names, name) > 0) return {};
  return {Code::kInvalid,
          error_at(one.where, fmt::format("{} looks at a value of validations: got \"{}\", wanted one of {}",
                                          one.schedule, name, fmt::join(names, ", ")))};
}

Status Stage::fit(const Fits* kept, std::vector<FitInfo>& told) {
  const size_t before = told.size();
  PLAIT_TRY(data_->complete(job_, {run_.registry, run_.transport, run_.work, run_.threads}, kept, told));
  for (size_t i = before; run_.is_root() && i < told.size(); ++i) run_.observer.fitted(told[i]);
  return {};
}

Status Stage::take_stage_arrays(const Fits* kept, std::vector<FitInfo>& told) {
  PLAIT_TRY(fit(kept, told));
  PLAIT_ASSIGN(const NamedTensors made, init_tensors(job_, network()));
  if (made.empty()) return {};
  return begin_with(made).status();
}

Result<int> Stage::begin_with(const NamedTensors& from) {
  PLAIT_ASSIGN(auto plain, plain_weights(*plan_, state_.weights));
  const int taken = take_matching(from, plan_->network(), plain);
  PLAIT_TRY(plan_->pack(plain, state_.weights.data()));
  shown_round_ = -1;
  return taken;
}

// Every round has train.local_steps, the last one maybe fewer; unless a person has accepted another job or
// other data.
Status Stage::check_round(const Checkpoint& checkpoint) const {
  if (!run_.changes.empty()) return {};
  const int64_t steps = numbers_.local_steps, whole = checkpoint.step / steps, rest = checkpoint.step % steps;
  if (checkpoint.round == whole + (rest > 0) && (rest == 0 || checkpoint.step == numbers_.total_steps))
    return {};
  return {Code::kCorrupt, fmt::format("it is of round {} at step {}, and each round has {} step{}",
                                      checkpoint.round, checkpoint.step, steps, steps == 1 ? "" : "s")};
}

Status Stage::resume(const Checkpoint& checkpoint) {
  PLAIT_TRY(check_round(checkpoint));
  PLAIT_TRY(take_state(*plan_, *gathered_, checkpoint, state_));
  shown_round_ = -1;
  best_ = checkpoint.best;
  validation_values_ = checkpoint.validation;
  validated_step_ = checkpoint.validated_step;
  for (const Validated& one : checkpoint.validated) remember(one);
  // What is gone on from by a longer run holds the best weights too, and is written again for them;
  // and so is one after which a person accepted a change, though no round may follow.
  const bool is_as_saved = run_.changes.size() == checkpoint.changes.size() && !ends_apart();
  saved_round_ = is_as_saved ? state_.round : -1;
  ended_apart_ = checkpoint.only_at_end;
  loss_ = checkpoint.loss;
  losses_ = checkpoint.losses;
  samples_ = state_.step * numbers_.step_samples();
  return {};
}

// What is evaluated and written.
Result<const HostArena*> Stage::shown_weights() {
  const bool averages = state_.average.size() > 0, measures = recalibration_ && !run_.transport.has_stopped();
  if (state_.round == 0 || !(averages || measures)) return &state_.weights;
  if (shown_round_ == state_.round) return &shown_;
  if (shown_.size() == 0) shown_ = HostArena(plan_->arena_elements());
  std::copy_n(state_.weights.data(), shown_.size(), shown_.data());
  std::copy_n(state_.average.data(), state_.average.size(), shown_.data());
  if (measures) PLAIT_TRY(recalibration_->run(*plan_, shown_, run_.transport));
  shown_round_ = measures == (recalibration_ != nullptr) ? state_.round : -1;
  return &shown_;
}

Result<NamedTensors> Stage::weights() {
  PLAIT_ASSIGN(const HostArena* const shown, shown_weights());
  PLAIT_ASSIGN(auto plain, plain_weights(*plan_, *shown));
  return name_weights(plan_->network(), std::move(plain));
}

// ---- running

// --max-steps counts the steps of all stages. Only whole rounds are done: a run that goes on from there then
// has the rounds of one that was never ended. They count from the stage's step: a run that was resumed may
// have had rounds of another length before.
void Stage::find_end() {
  end_ = numbers_.total_steps;
  const int64_t most = run_.options.max_steps, earlier = run_.counters.steps - state_.step;
  const int64_t left = std::max<int64_t>(0, most - earlier);
  if (most == 0 || left >= end_) return;
  end_ = left - std::max<int64_t>(0, left - state_.step) % numbers_.local_steps;
  if (end_ == left || !run_.is_root()) return;
  run_.observer.message(fmt::format("--max-steps {}: rounds have {} steps, so the run ends after {}", most,
                                    numbers_.local_steps, earlier + end_));
}

double Stage::epoch() const { return static_cast<double>(state_.step) / numbers_.steps_per_epoch; }

int64_t Stage::epochs_passed(int64_t step) const {
  return step * numbers_.step_samples() / data_->training_records();
}

// Whether the next round is the job's last, and leaves a state that a longer run would not be in: after a
// round that was cut short, or a validation where no epoch ended. Pretraining ends where it ends, however
// long the run is; and what --max-steps ends is no such state (see end).
bool Stage::ends_apart() const {
  const int64_t end = numbers_.total_steps, left = end - state_.step;
  if (pretraining_ || left <= 0 || left > numbers_.local_steps) return false;
  return left < numbers_.local_steps || epochs_passed(end) == epochs_passed(state_.step);
}

bool Stage::is_stop(const Status& status) const {
  return status.code() == Code::kStopped && run_.transport.has_stopped();
}

Status Stage::tell_begin() {
  if (!run_.is_root()) return {};
  StageInfo info;
  info.title = job_.name;
  info.number = number_;
  info.pretraining = pretraining_;
  const int64_t left = std::max<int64_t>(0, end_ - state_.step);
  info.rounds = state_.round + (left + numbers_.local_steps - 1) / numbers_.local_steps;
  info.first_round = state_.round;
  info.steps = end_;
  info.steps_per_epoch = numbers_.steps_per_epoch;
  info.epochs = static_cast<double>(end_) / numbers_.steps_per_epoch;
  info.shards = numbers_.shards;
  info.local_steps = numbers_.local_steps;
  info.batch = numbers_.batch;
  info.ranks = run_.transport.size();
  info.threads = run_.threads;
  info.replicas = rounds_->replicas();
  info.parameters = plan_->network().parameter_elements();
  info.training_records = data_->training_records();
  info.validation_records = data_->validation().records();
  info.test_records = data_->test().records();
  run_.observer.stage_begun(info);
  return {};
}

Result<RunStatus> Stage::run(const NamedTensors& network) {
  find_end();
  PLAIT_TRY(make_rounds());
  PLAIT_TRY(tell_begin());
  const Result<RunStatus> status = run_rounds(network);
  keep_times();
  // What comes now has its memory. After a stop a batch that nobody waits for may be caught in its source.
  if (status && *status == RunStatus::kComplete) rounds_.reset();
  return status;
}

Result<RunStatus> Stage::run_rounds(const NamedTensors& network) {
  network_ = &network;
  // The validation that a stop cut short.
  is_due_ = epochs_passed(state_.step) > epochs_passed(validated_step_);
  Status done = evaluate();
  if (done && steps_left() > 0) {
    done = save();
    if (done) done = rounds_->run(state_, *this);
  }
  if (is_stop(done)) return stop(network);
  PLAIT_TRY(done);
  return end(network);
}

int64_t Stage::steps_left() { return ended_early_.empty() ? std::max<int64_t>(0, end_ - state_.step) : 0; }

Status Stage::report(const RoundResult& result) {
  ended_apart_ = is_apart_;
  is_due_ = epochs_passed(state_.step) > epochs_before_;
  return after_round(result, run_.clock.now() - round_begin_);
}

Status Stage::evaluate() {
  if (is_due_) PLAIT_TRY(validate());
  return ask_schedules();
}

// Before a round. All ranks ask for themselves, and have the same validations.
Status Stage::ask_schedules() {
  if (steps_left() == 0) return {};
  const Progress progress{state_.step, numbers_.total_steps, numbers_.steps_per_epoch, &history_};
  PLAIT_ASSIGN(const std::string who, optimizer_->wants_end(progress));
  if (who.empty()) return {};
  ended_early_ = fmt::format("{} after step {}", who, state_.step);
  if (run_.is_root()) run_.observer.message("training is ended by " + ended_early_);
  return {};
}

// Before a round: the checkpoint that is due.
Status Stage::save() {
  if (steps_left() == 0) return {};
  const int every = job_.train.checkpoint_every;
  const bool is_wanted = state_.round > 0 && (every > 0 ? state_.round % every == 0 : is_due_);
  is_apart_ = ends_apart();
  if ((is_wanted || is_apart_) && saved_round_ != state_.round) PLAIT_TRY(save_checkpoint(*network_));
  epochs_before_ = epochs_passed(state_.step);
  round_begin_ = run_.clock.now();
  return {};
}

// What --max-steps or a schedule ends is validated for the person alone: a run that goes on from its
// checkpoint knows nothing of it.
Result<RunStatus> Stage::end(const NamedTensors& network) {
  is_cut_ = !ended_early_.empty() || end_ < numbers_.total_steps;
  if (is_cut_ && saved_round_ != state_.round) PLAIT_TRY(save_checkpoint(network));
  if (is_cut_ && ended_early_.empty() && (pretraining_ || state_.step == 0)) {
    tell_untrained();
    return RunStatus::kStopped;
  }
  if (validated_step_ != state_.step || validation_values_.empty()) {
    const Status validated = validate(!is_cut_);
    if (is_stop(validated)) return stop(network);
    PLAIT_TRY(validated);
  }
  if (saved_round_ != state_.round) PLAIT_TRY(save_checkpoint(network));
  const Status shown = shown_weights().status();
  if (is_stop(shown)) return stop(network);
  PLAIT_TRY(shown);
  return RunStatus::kComplete;
}

// A shorter training is measured like any other; before its first round there is nothing to measure.
void Stage::tell_untrained() {
  if (run_.is_root())
    run_.observer.message(
        fmt::format("--max-steps {} ends the run before its network is trained, in {}\"{}\": it is stopped "
                    "there, and --resume goes on",
                    run_.options.max_steps, pretraining_ ? "its pretraining, " : "", job_.name));
}

std::string Stage::ended_by() const {
  if (!is_cut_ || state_.step == 0 || !ended_early_.empty()) return ended_early_;
  return fmt::format("--max-steps {} after step {} of {}", run_.options.max_steps, state_.step,
                     numbers_.total_steps);
}

// The last whole round is the checkpoint.
Result<RunStatus> Stage::stop(const NamedTensors& network) {
  if (run_.is_root() && run_.counters.rounds == run_.rounds_before)
    run_.observer.message("stopped before a round was finished: --resume goes on where this run began" +
                          (run_.more_time ? run_.more_time() : ""));
  if (saved_round_ != state_.round) PLAIT_TRY(save_checkpoint(network));
  return RunStatus::kStopped;
}

Status Stage::after_round(const RoundResult& result, Clock::Nanoseconds took) {
  Counters& counters = run_.counters;
  counters.rounds += 1;
  counters.steps += result.steps;
  counters.samples += result.samples;
  counters.skipped_records += result.skipped_records;
  counters.train_seconds += seconds_of(took);
  if (counters.tasks_by_rank.size() < result.tasks_by_rank.size()) {
    counters.tasks_by_rank.resize(result.tasks_by_rank.size());
  }
  for (size_t r = 0; r < result.tasks_by_rank.size(); ++r)
    counters.tasks_by_rank[r] += result.tasks_by_rank[r];
  if (result.skipped_records > 0 && !told_bad_) PLAIT_TRY(tell_first_bad());
  loss_ = result.loss;
  losses_.clear();
  for (size_t i = 0; result.losses.size() > 1 && i < result.losses.size(); ++i)
    losses_.emplace_back(plan_->network().losses[i].name, result.losses[i]);
  samples_ += result.samples;
  if (!run_.is_root()) return {};
  if (result.left_out > 0 && !std::exchange(told_left_out_, true))
    run_.observer.warning(result.why_left_out + "; the reducer leaves it out, and others like it");
  RoundInfo info;
  info.stage = number_;
  info.round = state_.round - 1;
  info.rounds = info.round + 1 + (end_ - state_.step + numbers_.local_steps - 1) / numbers_.local_steps;
  info.step = state_.step;
  info.epoch = epoch();
  info.samples = samples_;
  info.loss = result.loss;
  info.losses = losses_;
  info.seconds = seconds_of(took);
  info.samples_per_second = info.seconds > 0 ? static_cast<double>(result.samples) / info.seconds : 0;
  run_.observer.round_finished(info);
  return run_.folder->add(info);
}

// One reason is enough for a person to look; how many there are, the end says.
Status Stage::tell_first_bad() {
  told_bad_ = true;
  const Status bad = data_->training().first_bad();
  const std::string mine = bad.is_ok() ? "" : bad.message();
  PLAIT_ASSIGN(const std::string text, first_text(run_.transport, mine));
  if (run_.is_root()) run_.observer.warning(text + "; it and each that is bad are replaced by others");
  return {};
}

Status Stage::validate(bool is_regular) {
  if (!validation_) return {};
  const Clock::Nanoseconds begin = run_.clock.now();
  PLAIT_ASSIGN(const HostArena* const shown, shown_weights());
  const PlainWeights weights = plain_weights_in(*plan_, *shown);
  PLAIT_ASSIGN(validation_values_,
               validation_->run(weights, run_.transport, rounds_ ? rounds_->lend() : nullptr));
  EvaluationInfo info;
  info.on = "validation";
  info.weights = "last";
  info.stage = number_;
  info.step = state_.step;
  info.epoch = epoch();
  info.values = validation_values_;
  info.records = validation_->records();
  for (const auto& [name, value] : validation_values_) {
    if (name != monitor_ || std::isnan(value)) continue;
    const bool is_better = is_regular && (higher_is_better_ ? value > best_.value : value < best_.value);
    info.best = !best_.known || is_better;
    if (info.best) best_ = {true, value, info.epoch, validation_values_};
  }
  info.seconds = seconds_of(run_.clock.now() - begin);
  if (is_regular) {
    validated_step_ = state_.step;
    remember({state_.step, validation_values_});
  }
  if (!run_.is_root()) return {};
  if (info.best && !pretraining_) PLAIT_TRY(run_.folder->save_best(sources_of(*plan_, weights)));
  run_.observer.evaluated(info);
  return run_.folder->add(info);
}

// A job that was changed since may not have all the values of its checkpoint.
void Stage::remember(Validated validated) {
  for (const auto& [name, value] : validated.values) {
    const auto reported = std::ranges::find(reported_, name, &ReportedValue::name);
    if (reported != reported_.end()) history_.add(name, reported->higher_is_better, validated.step, value);
  }
  validated_.push_back(std::move(validated));
}

// The last validation may be better than those before, and a longer run does without it: then these come
// back.
Status Stage::add_best(Checkpoint& checkpoint) {
  if (!best_.known || !ends_apart()) return {};
  PLAIT_ASSIGN(NamedTensors best, run_.folder->read_best());
  for (NamedTensor& tensor : best) {
    tensor.name = "best/" + tensor.name;
    checkpoint.tensors.push_back(std::move(tensor));
  }
  return {};
}

Status Stage::save_checkpoint(const NamedTensors& network) {
  if (run_.check_data) PLAIT_TRY(run_.check_data());
  saved_round_ = state_.round;
  if (!run_.is_root()) return {};
  Checkpoint checkpoint;
  checkpoint.identity = run_.identity;
  checkpoint.changes = run_.changes;
  checkpoint.only_at_end = ended_apart_;
  checkpoint.stage = number_;
  checkpoint.loss = loss_;
  checkpoint.losses = losses_;
  checkpoint.counters = run_.counters;
  checkpoint.counters.seconds = run_.seconds();
  checkpoint.best = best_;
  checkpoint.validation = validation_values_;
  checkpoint.validated_step = validated_step_;
  checkpoint.validated = validated_;
  const TensorSources tensors = put_state(*plan_, *gathered_, state_, checkpoint);
  if (pretraining_) {
    for (const NamedTensor& tensor : network)
      checkpoint.tensors.push_back({"network/" + tensor.name, tensor.shape, tensor.values});
  }
  PLAIT_TRY(add_best(checkpoint));
  PLAIT_TRY(run_.folder->flush());
  PLAIT_ASSIGN(const std::string path, run_.checkpoints->save(checkpoint, tensors));
  run_.observer.checkpoint_saved(path);
  return {};
}

Result<NamedValues> Stage::test(const NamedTensors& weights, const std::string& which) {
  if (!test_) return NamedValues();
  const Clock::Nanoseconds begin = run_.clock.now();
  PLAIT_ASSIGN(const auto plain, plain_of(weights, test_->plan().network(), which));
  PLAIT_ASSIGN(NamedValues values, test_->run(plain_weights_of(plain), run_.transport));
  if (!run_.is_root()) return values;
  EvaluationInfo info;
  info.on = "test";
  info.values = values;
  info.records = test_->records();
  info.seconds = seconds_of(run_.clock.now() - begin);
  PLAIT_TRY(tell(std::move(info), which));
  return values;
}

Status Stage::tell(EvaluationInfo info, const std::string& which) {
  info.weights = which;
  info.stage = number_;
  info.step = state_.step;
  info.epoch = which == "best" ? best_.epoch : epoch();
  run_.observer.evaluated(info);
  return run_.folder->add(info);
}

void Stage::keep_times() {
  std::vector<LayerTime>& times = times_;
  for (int slot = 0; slot < rounds_->replicas(); ++slot) {
    const std::vector<NodeTime> nodes = rounds_->profile(slot);
    times.resize(std::max(times.size(), nodes.size()));
    for (size_t i = 0; i < nodes.size(); ++i) {
      times[i].layer = nodes[i].layer;
      times[i].phase = nodes[i].phase;
      times[i].calls += nodes[i].calls;
      times[i].seconds += static_cast<double>(nodes[i].total_ns) * 1e-9;
    }
  }
}

}  // namespace plait::inline train
