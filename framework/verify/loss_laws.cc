// Laws of losses.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "plan/shape_text.h"
#include "verify/config_samples.h"
#include "verify/derivative.h"
#include "verify/heap.h"
#include "verify/law.h"
#include "verify/samples.h"

namespace plait {
namespace {

struct LossCase {
  std::shared_ptr<plait_config> config;
  PartSpec prediction, target;
  uint32_t bound = 2;  // of integer targets
  std::string text() const {
    return fmt::format("{}, prediction {}, target {}", config_text(*config), shape_text(prediction),
                       shape_text(target));
  }
};

bool is_integer(const PartSpec& spec) { return spec.dtype != PLAIT_F32 && spec.dtype != PLAIT_F64; }

std::vector<PartSpec> targets_for(const PartSpec& prediction) {
  std::vector<PartSpec> targets = {{"target", PLAIT_F32, prediction.shape, -1}};
  std::vector<int64_t> inner(prediction.shape.begin(), prediction.shape.end() - 1), one = inner;
  one.push_back(1);
  for (uint32_t dtype : {PLAIT_I32, PLAIT_U8, PLAIT_I64})
    for (const auto& shape : {inner, one, prediction.shape}) targets.push_back({"target", dtype, shape, -1});
  return targets;
}

bool fits(Trial& trial, const LossCase& made) {
  const plait_tensor_spec prediction = made.prediction.raw(), target = made.target.raw();
  plait_loss_request request{};
  request.struct_size = sizeof request;
  request.training = 1;
  request.config = made.config.get();
  request.prediction = &prediction;
  request.target = &target;
  CallContext context;
  trial.doing("check, " + made.text());
  return static_cast<bool>(
      context.call([&] { return trial.rules<plait_loss_rules>().check(context.raw(), &request); }));
}

Result<std::vector<LossCase>> loss_cases(Trial& trial) {
  constexpr size_t kCases = 8;
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  std::vector<LossCase> cases;
  for (const Example& one : configs) {
    if (one.inputs.size() == 2)
      cases.push_back({one.config, one.inputs[0], one.inputs[1], std::max(one.integer_bound, 1u)});
    for (const auto& shape :
         std::vector<std::vector<int64_t>>{{3, 4}, {1, 5}, {2, 3, 5, 2}, {4, 1}, {2, 6, 3}}) {
      const PartSpec prediction{"prediction", PLAIT_F32, shape, -1};
      for (const PartSpec& target : targets_for(prediction)) {
        LossCase made{one.config, prediction, target,
                      static_cast<uint32_t>(std::max<int64_t>(shape.back(), 2))};
        if (target.shape == prediction.shape && is_integer(target)) made.bound = 2;
        if (cases.size() < kCases && fits(trial, made)) {
          cases.push_back(made);
          break;
        }
      }
    }
  }
  if (cases.empty())
    return skipped("no prediction and target found that the loss accepts; give an example (plait/verify.h)");
  return cases;
}

class LossBench {
 public:
  static Result<std::unique_ptr<LossBench>> create(Trial& trial, const LossCase& made, bool training = true) {
    std::unique_ptr<LossBench> bench(new LossBench(trial, made));
    const plait_tensor_spec prediction = made.prediction.raw(), target = made.target.raw();
    plait_loss_request request{};
    request.struct_size = sizeof request;
    request.training = training;
    request.config = made.config.get();
    request.prediction = &prediction;
    request.target = &target;
    CallContext context;
    trial.doing("create, " + made.text());
    PLAIT_TRY(context.call([&] { return bench->ops_.create(context.raw(), &request, &bench->self_); })
                  .at("create, " + made.text()));
    bench->workspace_bytes_ = request.workspace_bytes;
    return bench;
  }
  ~LossBench() {
    if (self_ != nullptr) ops_.destroy(self_);
  }
  LossBench(const LossBench&) = delete;
  LossBench& operator=(const LossBench&) = delete;
  const LossCase& made() const { return made_; }
  const plait_loss_ops& ops() const { return ops_; }
  const void* self() const { return self_; }
  uint64_t workspace_bytes() const { return workspace_bytes_; }

 private:
  LossBench(Trial& trial, const LossCase& made) : made_(made), ops_(trial.ops<plait_loss_ops>()) {}
  LossCase made_;
  const plait_loss_ops& ops_;
  void* self_ = nullptr;
  uint64_t workspace_bytes_ = 0;
};

// Targets that are numbers may have to be shares of classes: along the last axis they sum to 1. A single
// number may have to be a class: the first.
void share_out(SampleTensor& target) {
  const auto classes = static_cast<uint64_t>(target.spec().shape.back());
  for (uint64_t begin = 0; begin < target.elements(); begin += classes) {
    double sum = 0;
    for (uint64_t k = 0; k < classes; ++k) sum += target.get(begin + k);
    for (uint64_t k = 0; k < classes; ++k)
      target.set(begin + k, classes == 1 ? 0 : target.get(begin + k) / sum);
  }
}

// Memory of calls of compute.
class LossRun {
 public:
  LossRun(const LossBench& bench, Dice& dice, Poison poison = Poison::kNan)
      : prediction(bench.made().prediction, poison),
        target(bench.made().target, poison),
        gradient(bench.made().prediction, poison),
        workspace(bench.workspace_bytes(), poison),
        result(2 * sizeof(double), poison),
        bad(sizeof(int32_t), poison),
        bench_(bench) {
    prediction.draw(dice, 0.05, 0.95, 2);  // fits probabilities and scores alike
    target.draw(dice, 0.05, 0.95, bench.made().bound);
    if (target.spec().dtype == PLAIT_F32) share_out(target);
  }
  Status compute(bool with_gradient = true, double scale = 1) {
    plait_loss_call call{};
    call.struct_size = sizeof call;
    call.prediction = prediction.raw();
    call.target = target.raw();
    call.prediction_gradient = with_gradient ? gradient.raw() : nullptr;
    call.result = result.as<double>();
    call.workspace = workspace.data();
    call.bad_target = bad.as<int32_t>();
    call.gradient_scale = scale;
    return context_.call([&] { return bench_.ops().compute(bench_.self(), context_.raw(), &call); })
        .at("compute");
  }
  double sum() const { return result.as<double>()[0]; }
  double count() const { return result.as<double>()[1]; }
  double mean() const { return sum() / count(); }
  int32_t bad_target() const { return *bad.as<int32_t>(); }

  SampleTensor prediction, target, gradient;
  Guarded workspace, result, bad;

 private:
  const LossBench& bench_;
  CallContext context_;
};

template <class Check>
Status for_each_case(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto cases, loss_cases(trial));
  for (const LossCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LossBench::create(trial, made));
    trial.doing("compute, " + made.text());
    PLAIT_TRY(check(*bench).at(made.text()));
  }
  trial.remark(fmt::format("{} cases", cases.size()));
  return {};
}

Status gradient(Trial& trial) {
  uint64_t compared = 0;
  const Status all = for_each_case(trial, [&](const LossBench& bench) -> Status {
    LossRun run(bench, trial.dice());
    PLAIT_TRY(run.compute());
    if (run.bad_target() >= 0) return {};
    std::vector<float> given;
    for (uint64_t k = 0; k < run.gradient.elements(); ++k)
      given.push_back(static_cast<float>(run.gradient.get(k)));
    for (uint64_t k = 0; k < given.size(); ++k) {
      const Evaluate evaluate = [&](float x, std::vector<double>& outputs) -> Status {
        run.prediction.set(k, x);
        PLAIT_TRY(run.compute());
        outputs[0] = run.mean();
        return {};
      };
      PLAIT_ASSIGN(const Derivative wanted,
                   derivative(evaluate, {1.0}, static_cast<float>(run.prediction.get(k))));
      if (!wanted.smooth) continue;
      ++compared;
      if (!wanted.agrees(given[k]))
        return broken(
            fmt::format("the gradient of prediction element {} is {:.6g}, but differences of the mean give "
                        "{:.6g} +- {:.1g}",
                        k, given[k], wanted.value, wanted.tolerance));
    }
    return {};
  });
  PLAIT_TRY(all);
  trial.remark(fmt::format("{} derivatives", compared));
  return compared > 0 ? Status() : skipped("no smooth point to compare");
}

Status scale(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    LossRun run(bench, trial.dice());
    PLAIT_TRY(run.compute(true, 1));
    std::vector<double> once;
    for (uint64_t k = 0; k < run.gradient.elements(); ++k) once.push_back(run.gradient.get(k));
    const double sum = run.sum();
    PLAIT_TRY(run.compute(true, 0.25));
    if (run.sum() != sum) return broken("gradient_scale changes the result");
    for (uint64_t k = 0; k < once.size(); ++k) {
      const double wanted = 0.25 * once[k];  // exact but for one rounding
      if (std::abs(run.gradient.get(k) - wanted) > 1e-6 * std::abs(wanted) + 1e-12)
        return broken(
            fmt::format("with gradient_scale 0.25 the gradient of element {} is {:.8g}, wanted {:.8g}", k,
                        run.gradient.get(k), wanted));
    }
    return {};
  });
}

Status memory(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    Dice first_dice(7, "memory"), second_dice(7, "memory");
    LossRun first(bench, first_dice, Poison::kNan), second(bench, second_dice, Poison::kNumber);
    LossRun untouched(bench, trial.dice());
    untouched.prediction.memory().write(first.prediction.memory().data(), first.prediction.memory().bytes());
    untouched.target.memory().write(first.target.memory().data(), first.target.memory().bytes());
    PLAIT_TRY(first.compute());
    PLAIT_TRY(second.compute());
    for (const auto& [what, block] :
         std::vector<std::pair<const char*, const Guarded*>>{{"prediction", &first.prediction.memory()},
                                                             {"target", &first.target.memory()},
                                                             {"gradient", &first.gradient.memory()},
                                                             {"workspace", &first.workspace},
                                                             {"result", &first.result},
                                                             {"bad_target", &first.bad}})
      if (const auto text = block->overrun(); !text.empty())
        return broken(fmt::format("writes outside its memory: {}: {}", what, text));
    if (!first.prediction.memory().same_bits(untouched.prediction.memory()))
      return broken("writes its prediction");
    if (!first.target.memory().same_bits(untouched.target.memory())) return broken("writes its target");
    if (!first.gradient.memory().same_bits(second.gradient.memory()))
      return broken(
          "the gradient depends on what its memory held before: it is added to, or not all of it is written");
    if (!first.result.same_bits(second.result) || !first.bad.same_bits(second.bad))
      return broken("result or bad_target depends on what its memory held before, or is not written");
    return {};
  });
}

Status result(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    LossRun run(bench, trial.dice());
    PLAIT_TRY(run.compute());
    const double with = run.sum();
    if (!std::isfinite(run.sum()))
      return broken(fmt::format("the loss is {} for predictions in 0.05 .. 0.95", run.sum()));
    if (!(run.count() >= 1) || run.count() > static_cast<double>(run.prediction.elements()))
      return broken(fmt::format("counts {} samples for a prediction {}", run.count(),
                                shape_text(bench.made().prediction)));
    if (run.bad_target() != -1 && bench.made().bound > 0)
      return broken(fmt::format("refuses target {} (bad_target {}), which is within range", run.target.get(0),
                                run.bad_target()));
    PLAIT_TRY(run.compute(false));
    return run.sum() == with ? Status() : broken("the result differs when no gradient is needed");
  });
}

Status bad_target(Trial& trial) {
  int tried = 0;
  const Status all = for_each_case(trial, [&](const LossBench& bench) -> Status {
    const PartSpec& target = bench.made().target;
    if (!is_integer(target) || target.shape == bench.made().prediction.shape) return {};
    ++tried;
    LossRun run(bench, trial.dice());
    const auto batch = static_cast<uint64_t>(target.shape[0]), stride = run.target.elements() / batch;
    for (uint64_t n = batch; n-- > 0;) {  // the smallest place is told
      run.target.set(n * stride, 200);
      if (!run.compute()) continue;
      if (run.bad_target() != static_cast<int32_t>(n))
        return broken(fmt::format("target 200 of sample {} is taken: bad_target is {}", n, run.bad_target()));
      if (const auto text = run.gradient.memory().overrun(); !text.empty())
        return broken("a bad target makes it write outside the gradient: " + text);
    }
    return {};
  });
  PLAIT_TRY(all);
  return tried > 0 ? Status() : skipped("targets are no labels");
}

Status same_again(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    constexpr size_t kThreads = 4;
    std::vector<std::unique_ptr<LossRun>> wanted, runs;
    for (size_t n = 0; n < kThreads; ++n) {
      Dice one(n, "loss"), two(n, "loss");
      wanted.push_back(std::make_unique<LossRun>(bench, one));
      runs.push_back(std::make_unique<LossRun>(bench, two));
      PLAIT_TRY(wanted.back()->compute());
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 100; ++i) {
        if (const Status status = runs[n]->compute(); !status) return status.message();
        if (!runs[n]->gradient.memory().same_bits(wanted[n]->gradient.memory()) ||
            !runs[n]->result.same_bits(wanted[n]->result))
          return "result or gradient differs";
      }
      return "";
    });
    return fault.empty() ? Status()
                         : broken(fault + " when the same call is made again, on several threads at once");
  });
}

Status leaks_nothing(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    constexpr int kTimes = 50;
    PLAIT_TRY(LossBench::create(trial, bench.made()).status());
    const int64_t before = heap_watch()->live_blocks();
    for (int i = 0; i < kTimes; ++i) static_cast<void>(LossBench::create(trial, bench.made()));
    const int64_t left = heap_watch()->live_blocks() - before;
    return left < kTimes
               ? Status()
               : broken(fmt::format("leaks: {} blocks more after {} times create and destroy", left, kTimes));
  });
}

Status no_allocation(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    LossRun run(bench, trial.dice());
    for (int i = 0; i < 3; ++i) PLAIT_TRY(run.compute());
    const uint64_t before = heap_watch()->allocations();
    Status status;
    for (int i = 0; i < 20 && status; ++i) status = run.compute();
    const uint64_t asked = heap_watch()->allocations() - before;
    PLAIT_TRY(status);
    return asked == 0 ? Status() : broken(fmt::format("allocates {} blocks in 20 calls", asked));
  });
}

}  // namespace

std::vector<Law> loss_laws() {
  constexpr const char* kKind = "loss";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "gradient", kMust, "the gradient is the derivative of the mean loss", gradient},
      {kKind, "gradient_scale", kMust, "gradient_scale multiplies the gradient and nothing else", scale},
      {kKind, "memory", kMust, "writes its answers, all of them, and nothing else", memory},
      {kKind, "result", kMust, "a finite sum and a count of samples, with or without gradient", result},
      {kKind, "bad_target", kMust, "a target out of range is told by its place", bad_target},
      {kKind, "same_again", kMust, "the same call gives the same bits, on several threads too", same_again},
      {kKind, "no_leak", kMust, "create and destroy leave nothing behind", leaks_nothing},
      {kKind, "no_allocation", kMust, "a call allocates nothing", no_allocation},
  };
}

}  // namespace plait
