// Losses, metrics, optimizers, schedules and reducers as workers.
#include <fmt/format.h>

#include <algorithm>

#include "graph/evaluation_history.h"
#include "verify/benches/loss_bench.h"
#include "verify/benches/metric_bench.h"
#include "verify/benches/optimizer_bench.h"
#include "verify/benches/whole_bench.h"
#include "verify/benches/worker.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

class LossWorker final : public Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(Trial& trial, const LossCase& made) {
    auto worker = std::make_unique<LossWorker>();
    PLAIT_ASSIGN(worker->bench_, LossBench::create(trial, made));
    LossRun& run = *(worker->run_ = std::make_unique<LossRun>(*worker->bench_, trial.dice()));
    for (const LossRun::Named& one : run.read())
      worker->own(one.name, one.tensor->memory(), one.tensor->spec().dtype, Role::kRead);
    for (const LossRun::Named& one : run.written())
      worker->own(one.name, one.tensor->memory(), PLAIT_F32, Role::kWritten);
    worker->own("result", run.result, PLAIT_F64, Role::kWritten);
    worker->own("bad_target", run.bad, PLAIT_I32, Role::kWritten);
    worker->own("workspace", run.workspace, PLAIT_U8, Role::kScratch);
    return std::unique_ptr<Worker>(std::move(worker));
  }
  std::string text() const override { return bench_->made().text(); }
  CallContext& context() override { return run_->context; }

 private:
  Status calls() override { return run_->compute(); }
  std::unique_ptr<LossBench> bench_;
  std::unique_ptr<LossRun> run_;
};

class MetricWorker final : public Worker {
 public:
  MetricWorker(std::unique_ptr<MetricBench> bench, Dice& dice)
      : bench_(std::move(bench)),
        data_(*bench_, dice),
        state_(bench_->state_size * sizeof(double), Poison::kNan),
        values_(bench_->values.size() * sizeof(double), Poison::kNan) {
    for (uint32_t i = 0; i < bench_->state_size; ++i) state_.as<double>()[i] = 0;
    own("prediction", data_.prediction.memory(), PLAIT_F32, Role::kRead);
    own("target", data_.target.memory(), bench_->target.dtype, Role::kRead);
    own("state", state_, PLAIT_F64, Role::kState);
    own("values", values_, PLAIT_F64, Role::kWritten);
  }
  std::string text() const override { return bench_->text(); }
  CallContext& context() override { return context_; }

 private:
  Status calls() override {
    rows_.clear();
    PLAIT_TRY(bench_->update(data_.prediction, data_.target, state_.as<double>(), context_));
    PLAIT_TRY(bench_->update_rows(data_.prediction, data_.target, rows_, context_));
    return bench_->finish(state_.as<double>(), rows_, values_.as<double>(), context_);
  }
  std::vector<double> rows_;
  std::unique_ptr<MetricBench> bench_;
  MetricData data_;
  Guarded state_, values_;
  CallContext context_;
};

class OptimizerWorker final : public Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(Trial& trial, const plait_config& config) {
    auto worker = std::make_unique<OptimizerWorker>();
    PLAIT_ASSIGN(worker->bench_, OptimizerBench::create(trial, config));
    std::vector<float> first(kOptimizerCount);
    for (float& value : first) value = static_cast<float>(trial.dice().between(-1, 1));
    OptimizerRun& run = *(worker->run_ = std::make_unique<OptimizerRun>(*worker->bench_, first));
    for (uint64_t k = 0; k < kOptimizerCount; ++k)
      run.gradients.as<float>()[k] = static_cast<float>(trial.dice().between(-1, 1));
    worker->own("gradients", run.gradients, PLAIT_F32, Role::kRead);
    worker->own("weights", run.weights, PLAIT_F32, Role::kState);
    for (size_t i = 0; i < run.slots.size(); ++i)
      worker->own("slot \"" + worker->bench_->slots()[i].name + "\"", run.slots[i], PLAIT_F32, Role::kState);
    return std::unique_ptr<Worker>(std::move(worker));
  }
  std::string text() const override { return bench_->text(); }
  CallContext& context() override { return run_->context; }

 private:
  Status calls() override {
    const float* gradient = run_->gradients.as<float>();
    for (int64_t t = 0; t < 3; ++t) {
      PLAIT_ASSIGN(const double observed, run_->observe(gradient, t));
      if (bench_->moves()) PLAIT_TRY(run_->move(gradient, t, observed));
      PLAIT_TRY(run_->step(gradient, t, observed));
    }
    return {};
  }
  std::unique_ptr<OptimizerBench> bench_;
  std::unique_ptr<OptimizerRun> run_;
};

class ScheduleWorker final : public Worker {
 public:
  ScheduleWorker(Instance instance, double base)
      : instance_(std::move(instance)), base_(8, Poison::kNan), values_(kSteps * 8, Poison::kNan) {
    base_.as<double>()[0] = base;
    own("base", base_, PLAIT_F64, Role::kRead);
    own("values", values_, PLAIT_F64, Role::kWritten);
    const auto* ops = instance_.ops<plait_schedule_ops>();
    const char* const monitor = PLAIT_HAS(ops, monitor) ? ops->monitor(instance_.self()) : nullptr;
    const std::string name = monitor == nullptr || *monitor == '\0' ? "loss" : monitor;
    for (const double value : {1.0, 0.5, 0.75, 0.75, 2.0})
      history_.add(name, false, 4 * static_cast<int64_t>(history_.all().size()), value);
  }
  std::string text() const override { return config_text(instance_.config()); }
  CallContext& context() override { return context_; }

 private:
  static constexpr uint64_t kSteps = 40;
  Status calls() override {
    for (uint64_t t = 0; t < kSteps; ++t) {
      plait_schedule_call call{};
      call.struct_size = sizeof call;
      call.base = base_.as<double>()[0];
      call.step = static_cast<int64_t>(t), call.total_steps = kSteps, call.steps_per_epoch = 7.5;
      const auto seen = history_.all().first(std::min<uint64_t>(t / 4, history_.all().size()));
      call.n_evaluations = static_cast<uint32_t>(seen.size());
      call.evaluations = seen.data();
      PLAIT_TRY(ask_stop(call));
      double* value = values_.as<double>() + t;
      PLAIT_TRY(context_
                    .call([&] {
                      return instance_.ops<plait_schedule_ops>()->value(instance_.self(), context_.raw(),
                                                                        &call, value);
                    })
                    .at("value"));
    }
    return {};
  }
  Status ask_stop(const plait_schedule_call& call) {
    const auto* ops = instance_.ops<plait_schedule_ops>();
    if (!PLAIT_HAS(ops, stop)) return {};
    int32_t stop = 0;
    return context_.call([&] { return ops->stop(instance_.self(), context_.raw(), &call, &stop); })
        .at("stop");
  }
  Instance instance_;
  EvaluationHistory history_;
  Guarded base_, values_;
  CallContext context_;
};

// Four shards of one round.
class ReducerWorker final : public Worker {
 public:
  ReducerWorker(Instance instance, Dice& dice)
      : instance_(std::move(instance)),
        losses_(kShards * 8, Poison::kNan),
        weights_(kShards * 4, Poison::kNan),
        combined_(kCount * 4, Poison::kNan) {
    ops_ = instance_.ops<plait_reducer_ops>();
    for (uint32_t i = 0; i < kShards; ++i) {
      losses_.as<double>()[i] = dice.between(0.1, 3);
      deltas_.emplace_back(kCount * 4, Poison::kNan);
      for (uint64_t k = 0; k < kCount; ++k)
        deltas_[i].as<float>()[k] = static_cast<float>(dice.between(-1, 1));
    }
    const bool gathers = !PLAIT_HAS(ops_, weight);
    if (!gathers) {
      own("losses", losses_, PLAIT_F64, Role::kRead);
      own("weights", weights_, PLAIT_I32, Role::kWritten);
      return;
    }
    for (uint32_t i = 0; i < kShards; ++i)
      own(fmt::format("delta {}", i), deltas_[i], PLAIT_F32, Role::kRead);
    own("combined", combined_, PLAIT_F32, Role::kWritten);
    for (Guarded& delta : deltas_) pointers_.push_back(delta.as<float>());
  }
  std::string text() const override { return config_text(instance_.config()); }
  CallContext& context() override { return context_; }

 private:
  static constexpr uint32_t kShards = 4;
  static constexpr uint64_t kCount = 3001;
  Status calls() override {
    if (!pointers_.empty()) {
      return context_
          .call([&] {
            return ops_->combine(instance_.self(), context_.raw(), kShards, pointers_.data(), kCount,
                                 combined_.as<float>());
          })
          .at("combine");
    }
    for (uint32_t i = 0; i < kShards; ++i) {
      const plait_shard_result result{sizeof result, kShards, i, 0, 64, losses_.as<double>()[i]};
      PLAIT_TRY(context_
                    .call([&] {
                      return ops_->weight(instance_.self(), context_.raw(), &result,
                                          weights_.as<int32_t>() + i);
                    })
                    .at("weight"));
    }
    return {};
  }
  Instance instance_;
  const plait_reducer_ops* ops_;
  Guarded losses_, weights_, combined_;
  std::vector<Guarded> deltas_;
  std::vector<const float*> pointers_;
  CallContext context_;
};

// Nine shards of one round, whole.
class WholeWorker final : public Worker {
 public:
  WholeWorker(std::unique_ptr<WholeBench> bench, Dice& dice)
      : bench_(std::move(bench)), run_(*bench_, kShards, dice) {
    for (size_t k = 0; k < kShards; ++k)
      own(fmt::format("delta {}", k), run_.deltas[k], PLAIT_F32, Role::kRead);
    for (size_t s = 0; s < run_.states.size(); ++s)
      own("state \"" + bench_->states()[s].name + "\"", run_.states[s], PLAIT_F32, Role::kState);
    own("combined", run_.combined, PLAIT_F32, Role::kWritten);
  }
  std::string text() const override { return bench_->text(); }
  CallContext& context() override { return run_.context; }

 private:
  static constexpr size_t kShards = 9;
  Status calls() override { return run_.combine(); }
  std::unique_ptr<WholeBench> bench_;
  WholeRun run_;
};

// An instance for each configuration that create accepts.
template <class Make>
Result<Workers> from_instances(Trial& trial, size_t count, Make make) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  Workers workers;
  std::string refusal;
  for (const Example& one : configs) {
    trial.doing("create, " + config_text(*one.config));
    CallContext context;
    auto made =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!made)
      refusal = made.status().message();
    else
      workers.push_back(make(std::move(*made)));
  }
  if (workers.empty()) return skipped("create refuses what can be guessed: " + refusal);
  return workers;
}

}  // namespace

Result<Workers> loss_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(auto cases, loss_cases(trial));
  Workers workers;
  for (const LossCase& made : cases) {
    if (workers.size() == count) break;
    PLAIT_ASSIGN(auto worker, LossWorker::create(trial, made));
    workers.push_back(std::move(worker));
  }
  return workers;
}

Result<Workers> metric_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(auto benches, metric_benches(trial));
  Workers workers;
  for (auto& bench : benches)
    if (workers.size() < count)
      workers.push_back(std::make_unique<MetricWorker>(std::move(bench), trial.dice()));
  return workers;
}

Result<Workers> optimizer_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  Workers workers;
  Status refusal;
  for (const Example& one : configs) {
    auto worker = OptimizerWorker::create(trial, *one.config);
    if (!worker)
      refusal = worker.status();
    else
      workers.push_back(std::move(*worker));
  }
  if (workers.empty()) return refusal;
  return workers;
}

Result<Workers> schedule_workers(Trial& trial, size_t count, int) {
  return from_instances(trial, count, [&](Instance made) {
    return std::make_unique<ScheduleWorker>(std::move(made), trial.dice().between(0.01, 1));
  });
}

Result<Workers> reducer_workers(Trial& trial, size_t count, int) {
  const auto& ops = trial.ops<plait_reducer_ops>();
  if (takes_whole(ops)) {
    PLAIT_ASSIGN(auto benches, whole_benches(trial, count));
    Workers workers;
    for (auto& bench : benches) {
      auto worker = std::make_unique<WholeWorker>(std::move(bench), trial.dice());
      if (worker->run()) workers.push_back(std::move(worker));  // or it refuses so many shards
    }
    if (workers.empty()) return skipped("no configuration is found that takes nine shards");
    return workers;
  }
  if (ops.weight == nullptr && ops.combine == nullptr) return key_reducer_workers(trial, count);
  return from_instances(trial, count, [&](Instance made) {
    return std::make_unique<ReducerWorker>(std::move(made), trial.dice());
  });
}

}  // namespace plait::inline verify
