// Laws of losses.
#include <fmt/format.h>

#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/loss_bench.h"
#include "verify/engine/derivative.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"

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

// Of numbers up to `size`, in units of the floor of differences, 1e-5 (derivative.cc). The step is 2^-7 of
// that size; a mean, or terms of it as large as the numbers, may be rounded to 4 * 2^-24 of it on either
// side: over two steps that is 2^-15 of mean / size, or of 1, and 2^-15 is 3.1e-5. A sum that swallows an
// element decides nothing.
Magnitude magnitude_of(const LossRun& run, double size) {
  const double swallowed = 3.1 * std::abs(run.mean()) / size;
  return {size, size > 1 ? 3.1 + swallowed : std::max(1.0, swallowed), 0};
}

// Differences of the mean at every element of what has been drawn.
Status check_derivatives(LossRun& run, double size, uint64_t& compared) {
  const Magnitude magnitude = magnitude_of(run, size);
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
    const double x = run.prediction.get(k);
    PLAIT_ASSIGN(const Derivative wanted, derivative(evaluate, {1.0}, static_cast<float>(x), magnitude));
    if (!wanted.smooth) continue;
    ++compared;
    if (!wanted.agrees(given[k]))
      return broken(fmt::format(
          "the gradient of prediction element {} ({:.6g}) is {:.6g}, but differences of the mean give "
          "{:.6g} +- {:.1g}",
          k, x, given[k], wanted.value, wanted.tolerance));
  }
  return {};
}

// A loss of probabilities, or of shares, has no value for numbers of all sizes: then there is nothing to
// compare.
bool has_value(LossRun& run) { return run.compute() && run.bad_target() < 0 && std::isfinite(run.sum()); }

// Scores, and numbers that are no probabilities, in both signs; beyond 1 alone where negative ones have no
// value.
Status check_wide_derivatives(LossRun& run, Dice& dice, uint64_t& compared) {
  for (const double size : {4.0, 32.0, 256.0}) {
    for (const bool targets : {false, true}) {
      run.draw(dice, -size, size, targets);
      if (!has_value(run)) run.draw(dice, 0, size, targets);
      if (!has_value(run)) break;
      PLAIT_TRY(check_derivatives(run, size, compared).at(fmt::format("numbers up to {:g}", size)));
    }
  }
  return {};
}

Status gradient(Trial& trial) {
  uint64_t compared = 0;
  const Status all = for_each_case(trial, [&](const LossBench& bench) -> Status {
    LossRun run(bench, trial.dice());
    PLAIT_TRY(run.compute());
    if (run.bad_target() >= 0) return {};
    PLAIT_TRY(check_derivatives(run, 1, compared));
    return check_wide_derivatives(run, trial.dice(), compared);
  });
  PLAIT_TRY(all);
  trial.remark(fmt::format("{} derivatives", compared));
  return compared > 0 ? Status() : skipped("no smooth point to compare");
}

// ---- large predictions

// "" or what of the answer is no number.
std::string no_number(const LossRun& run) {
  if (!std::isfinite(run.sum())) return fmt::format("the loss is {}", run.sum());
  for (uint64_t k = 0; k < run.gradient.elements(); ++k)
    if (!std::isfinite(run.gradient.get(k)))
      return fmt::format("the gradient of prediction element {} is {}", k, run.gradient.get(k));
  return "";
}

// The same predictions at twice the size, and so on. A loss that grew by at most 8 times at the last
// doubling, as cubes do, has a value at the next one that f32 can hold: where it has none, something inside
// overflowed. One that grows like exp does, or that has no value for such numbers at all, promises nothing.
Status check_doublings(const LossBench& bench, Dice& dice, double low, double high) {
  constexpr double kLargest = 512, kCube = 8;
  LossRun run(bench, dice);
  run.draw(dice, low, high);
  std::vector<double> first;
  for (uint64_t k = 0; k < run.prediction.elements(); ++k) first.push_back(run.prediction.get(k));
  double before = NAN, before_that = NAN;
  for (double size = 1; size <= kLargest; size *= 2) {
    for (uint64_t k = 0; k < first.size(); ++k) run.prediction.set(k, size * first[k]);
    if (!run.compute() || run.bad_target() >= 0) return {};
    const bool slow = std::abs(before) <= kCube * std::abs(before_that) + 1;  // false for NaN
    if (const auto text = no_number(run); !text.empty())
      return slow ? broken(fmt::format(
                        "{} for predictions in {:g} .. {:g}, though the mean was {:.6g} for half of "
                        "them and {:.6g} for a quarter",
                        text, low * size, high * size, before, before_that))
                  : Status();
    before_that = before, before = run.mean();
  }
  return {};
}

Status large_predictions(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    PLAIT_TRY(check_doublings(bench, trial.dice(), -1, 1));
    PLAIT_TRY(check_doublings(bench, trial.dice(), 0.5, 1));
    return check_doublings(bench, trial.dice(), -1, -0.5);
  });
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

// No classes of the prediction, nor of any other number of classes that it may stand for; none where the
// target's type holds none.
std::vector<double> no_classes(const LossCase& made) {
  const int64_t elements = static_cast<int64_t>(element_count(made.prediction.shape));
  if (made.target.dtype == PLAIT_U8) return elements < 255 ? std::vector<double>{255} : std::vector<double>{};
  std::vector<double> labels = {static_cast<double>(std::max<int64_t>(200, elements)), INT32_MAX, -1, -2,
                                INT32_MIN};
  if (made.target.dtype == PLAIT_I64) labels.push_back(0x1p32);  // class 0 in 32 bits
  return labels;
}

// A negative number may stand for a label that is left out: then it counts for nothing.
bool is_left_out(const LossRun& run, double label, double usual_count, uint64_t sample, uint64_t batch) {
  if (label >= 0 || run.bad_target() >= 0 || !(run.count() < usual_count)) return false;
  const uint64_t each = run.gradient.elements() / batch;
  if (run.target.elements() != batch) return true;  // the gradient of its place is not known here
  for (uint64_t k = sample * each; k < (sample + 1) * each; ++k)
    if (run.gradient.get(k) != 0) return false;
  return true;
}

Status check_bad_label(LossRun& run, double label) {
  const auto batch = static_cast<uint64_t>(run.target.spec().shape[0]),
             stride = run.target.elements() / batch;
  std::vector<double> usual;
  PLAIT_TRY(run.compute());
  double count = run.count();
  for (uint64_t n = batch; n-- > 0;) {  // the smallest place is told
    usual.push_back(run.target.get(n * stride));
    run.target.set(n * stride, label);
    if (!run.compute()) continue;
    if (is_left_out(run, label, count, n, batch)) {
      count = run.count();
      continue;
    }
    if (run.bad_target() != static_cast<int32_t>(n))
      return broken(
          fmt::format("target {:.0f} of sample {} is taken: bad_target is {}", label, n, run.bad_target()));
    for (const auto& [what, block] : std::vector<std::pair<const char*, const Guarded*>>{
             {"gradient", &run.gradient.memory()}, {"workspace", &run.workspace}, {"result", &run.result}})
      if (const auto text = block->overrun(); !text.empty())
        return broken(fmt::format("a bad target makes it write outside the {}: {}", what, text));
  }
  for (uint64_t n = 0; n < batch; ++n) run.target.set(n * stride, usual[batch - 1 - n]);
  return {};
}

Status bad_target(Trial& trial) {
  int tried = 0;
  const Status all = for_each_case(trial, [&](const LossBench& bench) -> Status {
    const PartSpec& target = bench.made().target;
    // As many targets as predictions may be numbers.
    if (!is_integer(target) || element_count(target.shape) == element_count(bench.made().prediction.shape))
      return {};
    ++tried;
    LossRun run(bench, trial.dice());
    for (const double label : no_classes(bench.made())) PLAIT_TRY(check_bad_label(run, label));
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
      {kKind, "large_predictions", kMust,
       "finite for large predictions, where the mean does not grow faster than cubes", large_predictions},
      {kKind, "bad_target", kMust, "a target out of range is told by its place", bad_target},
      {kKind, "same_again", kMust, "the same call gives the same bits, on several threads too", same_again},
      {kKind, "no_leak", kMust, "create and destroy leave nothing behind", leaks_nothing},
      {kKind, "no_allocation", kMust, "a call allocates nothing", no_allocation},
  };
}

}  // namespace plait
