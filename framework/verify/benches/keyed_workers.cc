// Tasks, combiners and reducers of keys as workers. What they emit is kept as one number.
#include <fmt/format.h>

#include <functional>

#include "verify/benches/keyed_bench.h"
#include "verify/benches/worker.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

uint64_t number_of(const Pairs& pairs) {
  uint64_t number = pairs.size();
  for (const KeyedPair& pair : pairs)
    number = number * 31 + std::hash<std::string>()(pair.key) + 7 * std::hash<std::string>()(pair.value);
  return number;
}

uint64_t number_of(const PassEnd& end) {
  uint64_t number = end.another ? 1 : 0;
  for (const auto* all : {&end.states, &end.outputs})
    for (const std::string& bytes : *all) number = number * 31 + std::hash<std::string>()(bytes);
  return number;
}

// A call with some records, and the end of the pass where the task has one.
class TaskWorker final : public Worker {
 public:
  TaskWorker(TaskBench bench, Dice& dice)
      : bench_(std::move(bench)),
        call_(bench_.parts, draw_records(bench_, dice, kRecords), 0, kRecords),
        out_(bench_.form) {
    for (const auto& part : call_.parts()) {
      own(fmt::format("part \"{}\"", part->spec.name), part->memory, part->spec.dtype, Role::kRead);
      const bool whole = part->spec.dtype == PLAIT_I32 || part->spec.dtype == PLAIT_I64;
      if (whole) keep_within(0, bench_.bound);
    }
    for (Guarded* memory : out_.arrays() ? out_.arrays()->memory() : std::vector<Guarded*>())
      own("accumulators and states", *memory, PLAIT_U8, Role::kScratch);
    own("results", result_, PLAIT_I64, Role::kWritten);
  }
  std::string text() const override { return bench_.text(); }
  CallContext& context() override { return context_; }

 private:
  static constexpr size_t kRecords = 12;
  Status calls() override {
    out_.clear();
    PLAIT_TRY(call_.map(bench_, context_, out_));
    *result_.as<uint64_t>() = number_of(out_.pairs());
    const ArrayRecorder* arrays = out_.arrays();
    // The host fails before finish where an accumulator is no number.
    if (arrays == nullptr || !has_finish(bench_.instance) || !arrays->fault().empty()) return {};
    PLAIT_ASSIGN(const PassEnd end,
                 finish_pass(bench_.instance, context_, *arrays, 0, zero_states(bench_.form), kRecords));
    *result_.as<uint64_t>() += number_of(end);
    return {};
  }
  TaskBench bench_;
  RecordCall call_;
  MapRecorder out_;
  Guarded result_{sizeof(uint64_t), Poison::kNan};
  CallContext context_;
};

// Some values of one key, folded from left to right.
class CombinerWorker final : public Worker {
 public:
  CombinerWorker(CombinerBench bench, Dice& dice)
      : bench_(std::move(bench)), values_(draw_values(dice, bench_.in, 12, 0)), into_(bench_), from_(bench_) {
    own("partial", into_.memory(), PLAIT_U8, Role::kWritten);
    own("partial of a value", from_.memory(), PLAIT_U8, Role::kScratch);
  }
  std::string text() const override { return bench_.text(); }
  CallContext& context() override { return context_; }

 private:
  Status calls() override {
    PLAIT_TRY(into_.begin(context_, values_[0]));
    for (size_t i = 1; i < values_.size(); ++i) {
      PLAIT_TRY(from_.begin(context_, values_[i]));
      PLAIT_TRY(into_.fold(context_, from_));
    }
    return {};
  }
  CombinerBench bench_;
  std::vector<std::string> values_;
  Partial into_, from_;
  CallContext context_;
};

class KeyReducerWorker final : public Worker {
 public:
  KeyReducerWorker(KeyReducerBench bench, Dice& dice)
      : bench_(std::move(bench)), values_(draw_values(dice, bench_.in, 12, 0)) {
    own("values", result_, PLAIT_I64, Role::kWritten);
  }
  std::string text() const override { return bench_.text(); }
  CallContext& context() override { return context_; }

 private:
  Status calls() override {
    ValueList list(values_, Poison::kNan);
    PairRecorder out(UINT64_MAX, bench_.out);
    PLAIT_TRY(bench_.reduce(context_, "key", list, out));
    *result_.as<uint64_t>() = number_of(out.pairs);
    return {};
  }
  KeyReducerBench bench_;
  std::vector<std::string> values_;
  Guarded result_{sizeof(uint64_t), Poison::kNan};
  CallContext context_;
};

// Of those that take the values that were drawn; a configuration may limit them.
template <class Made, class Bench>
Result<Workers> workers_of(std::vector<Bench> benches, size_t count, Dice& dice) {
  Workers workers;
  Status refusal;
  for (Bench& bench : benches) {
    if (workers.size() >= 2 * count) break;
    auto worker = std::make_unique<Made>(std::move(bench), dice);
    const Status status = worker->run();
    if (is_refusal(status))
      refusal = status;
    else
      workers.push_back(std::move(worker));
  }
  if (workers.empty()) return skipped("refuses what the kit draws: " + refusal.message());
  return workers;
}

}  // namespace

Result<Workers> task_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(auto benches, task_benches(trial, count));
  return workers_of<TaskWorker>(std::move(benches), count, trial.dice());
}

Result<Workers> combiner_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(auto benches, combiner_benches(trial, count));
  return workers_of<CombinerWorker>(std::move(benches), count, trial.dice());
}

Result<Workers> key_reducer_workers(Trial& trial, size_t count) {
  PLAIT_ASSIGN(auto benches, key_reducer_benches(trial, count));
  return workers_of<KeyReducerWorker>(std::move(benches), count, trial.dice());
}

}  // namespace plait::inline verify
