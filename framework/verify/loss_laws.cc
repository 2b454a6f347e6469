// Laws of losses.
#include <fmt/format.h>

#include <cmath>

#include "plan/shape_text.h"
#include "verify/derivative.h"
#include "verify/heap.h"
#include "verify/law.h"
#include "verify/loss_bench.h"

namespace plait {
namespace {

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

// bad_target is a sample: the first axis.
std::string refused_target(const LossRun& run) {
  const PartSpec& spec = run.target.spec();
  const auto batch = static_cast<uint64_t>(spec.shape.empty() ? 1 : spec.shape[0]);
  const int32_t sample = run.bad_target();
  if (sample < 0 || static_cast<uint64_t>(sample) >= batch)
    return fmt::format("says that the target of sample {} is bad, of {} samples", sample, batch);
  const uint64_t each = run.target.elements() / batch, first = static_cast<uint64_t>(sample) * each;
  std::string numbers;
  for (uint64_t k = 0; k < std::min<uint64_t>(each, 6); ++k)
    numbers += fmt::format("{}{:.6g}", k > 0 ? ", " : "", run.target.get(first + k));
  return fmt::format("refuses the target of sample {} (bad_target): {}{}, drawn from {}", sample, numbers,
                     each > 6 ? ", ..." : "", run.target_text());
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
    if (run.bad_target() != -1) return broken(refused_target(run));
    PLAIT_TRY(run.compute(false));
    return run.sum() == with ? Status() : broken("the result differs when no gradient is needed");
  });
}

// No class of the prediction, nor of any other number of classes that it may stand for; -1 where the target's
// type holds none.
double beyond_classes(const LossCase& made) {
  const int64_t elements = static_cast<int64_t>(element_count(made.prediction.shape));
  if (made.target.dtype == PLAIT_U8) return elements < 255 ? 255 : -1;
  return static_cast<double>(std::max<int64_t>(200, elements));
}

Status bad_target(Trial& trial) {
  int tried = 0;
  const Status all = for_each_case(trial, [&](const LossBench& bench) -> Status {
    const PartSpec& target = bench.made().target;
    if (!is_integer(target) || target.shape == bench.made().prediction.shape) return {};
    ++tried;
    LossRun run(bench, trial.dice());
    const auto batch = static_cast<uint64_t>(target.shape[0]), stride = run.target.elements() / batch;
    const double beyond = beyond_classes(bench.made());
    if (beyond < 0) return {};
    for (uint64_t n = batch; n-- > 0;) {  // the smallest place is told
      run.target.set(n * stride, beyond);
      if (!run.compute()) continue;
      if (run.bad_target() != static_cast<int32_t>(n))
        return broken(
            fmt::format("target {} of sample {} is taken: bad_target is {}", beyond, n, run.bad_target()));
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
