// Laws of losses.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "registry/loss_form.h"
#include "registry/shape_text.h"
#include "verify/benches/loss_bench.h"
#include "verify/benches/port_check.h"
#include "verify/engine/derivative.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
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

std::vector<double> numbers_of(const SampleTensor& tensor) {
  std::vector<double> numbers;
  for (uint64_t k = 0; k < tensor.elements(); ++k) numbers.push_back(tensor.get(k));
  return numbers;
}

std::vector<std::vector<double>> gradients_of(const LossRun& run) {
  std::vector<std::vector<double>> all;
  for (const auto& gradient : run.gradients) all.push_back(numbers_of(*gradient));
  return all;
}

// Differences of the mean at every element of prediction `p`, whose gradient is `given`.
Status check_derivatives_of(LossRun& run, size_t p, const std::vector<double>& given,
                            const Magnitude& magnitude, uint64_t& compared) {
  SampleTensor& prediction = *run.predictions[p];
  for (uint64_t k = 0; k < given.size(); ++k) {
    const Evaluate evaluate = [&](float x, std::vector<double>& outputs) -> Status {
      prediction.set(k, x);
      PLAIT_TRY(run.compute());
      outputs[0] = run.mean();
      return {};
    };
    const double x = prediction.get(k);
    PLAIT_ASSIGN(const Derivative wanted, derivative(evaluate, {1.0}, static_cast<float>(x), magnitude));
    if (!wanted.smooth) continue;
    ++compared;
    if (!wanted.agrees(static_cast<float>(given[k])))
      return broken(
          fmt::format("the gradient of {} element {} ({:.6g}) is {:.6g}, but differences of the mean give "
                      "{:.6g} +- {:.1g}",
                      run.read()[p].name, k, x, given[k], wanted.value, wanted.tolerance));
  }
  return {};
}

// At every element of what has been drawn.
Status check_derivatives(LossRun& run, double size, uint64_t& compared) {
  const Magnitude magnitude = magnitude_of(run, size);
  const auto given = gradients_of(run);
  for (size_t p = 0; p < given.size(); ++p)
    PLAIT_TRY(check_derivatives_of(run, p, given[p], magnitude, compared));
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
  for (size_t p = 0; p < run.gradients.size(); ++p) {
    const SampleTensor& gradient = *run.gradients[p];
    for (uint64_t k = 0; k < gradient.elements(); ++k)
      if (!std::isfinite(gradient.get(k)))
        return fmt::format("the gradient of {} element {} is {}", run.read()[p].name, k, gradient.get(k));
  }
  return "";
}

// The same predictions at twice the size, and so on. A loss that grew by at most 8 times at the last
// doubling, as cubes do, has a value at the next one that f32 can hold: where it has none, something inside
// overflowed. One that grows like exp does, or that has no value for such numbers at all, promises nothing.
Status check_doublings(const LossBench& bench, Dice& dice, double low, double high) {
  constexpr double kLargest = 512, kCube = 8;
  LossRun run(bench, dice);
  run.draw(dice, low, high);
  std::vector<std::vector<double>> first;
  for (const auto& prediction : run.predictions) first.push_back(numbers_of(*prediction));
  double before = NAN, before_that = NAN;
  for (double size = 1; size <= kLargest; size *= 2) {
    for (size_t p = 0; p < first.size(); ++p)
      for (uint64_t k = 0; k < first[p].size(); ++k) run.predictions[p]->set(k, size * first[p][k]);
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
    const auto once = gradients_of(run);
    const double sum = run.sum();
    PLAIT_TRY(run.compute(true, 0.25));
    if (run.sum() != sum) return broken("gradient_scale changes the result");
    const auto scaled = gradients_of(run);
    for (size_t p = 0; p < once.size(); ++p) {
      for (uint64_t k = 0; k < once[p].size(); ++k) {
        const double wanted = 0.25 * once[p][k];  // exact but for one rounding
        if (std::abs(scaled[p][k] - wanted) > 1e-6 * std::abs(wanted) + 1e-12)
          return broken(
              fmt::format("with gradient_scale 0.25 the gradient of element {} is {:.8g}, wanted {:.8g}", k,
                          scaled[p][k], wanted));
      }
    }
    return {};
  });
}

Status memory(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    Dice first_dice(7, "memory"), second_dice(7, "memory");
    LossRun first(bench, first_dice, Poison::kNan), second(bench, second_dice, Poison::kNumber);
    LossRun untouched(bench, trial.dice());
    const auto read = first.read(), kept = untouched.read(), written = first.written();
    for (size_t i = 0; i < read.size(); ++i)
      kept[i].tensor->memory().write(read[i].tensor->memory().data(), read[i].tensor->memory().bytes());
    PLAIT_TRY(first.compute());
    PLAIT_TRY(second.compute());
    std::vector<std::pair<std::string, const Guarded*>> blocks;
    for (const auto& list : {read, written})
      for (const LossRun::Named& one : list) blocks.emplace_back(one.name, &one.tensor->memory());
    blocks.insert(blocks.end(),
                  {{"workspace", &first.workspace}, {"result", &first.result}, {"bad_target", &first.bad}});
    for (const auto& [what, block] : blocks)
      if (const auto text = block->overrun(); !text.empty())
        return broken(fmt::format("writes outside its memory: {}: {}", what, text));
    for (size_t i = 0; i < read.size(); ++i)
      if (!read[i].tensor->memory().same_bits(kept[i].tensor->memory()))
        return broken("writes its " + read[i].name);
    for (size_t i = 0; i < written.size(); ++i)
      if (!written[i].tensor->memory().same_bits(second.written()[i].tensor->memory()))
        return broken("the " + written[i].name +
                      " depends on what its memory held before: it is added to, or not all of it is written");
    if (!first.result.same_bits(second.result) || !first.bad.same_bits(second.bad))
      return broken("result or bad_target depends on what its memory held before, or is not written");
    return {};
  });
}

// bad_target is a sample: the first axis.
std::string refused_target(const LossRun& run) {
  const int32_t sample = run.bad_target();
  if (run.targets.size() != 1) return fmt::format("says that the targets of sample {} are bad", sample);
  const SampleTensor& target = *run.targets.front();
  const PartSpec& spec = target.spec();
  const auto batch = static_cast<uint64_t>(spec.shape.empty() ? 1 : spec.shape[0]);
  if (sample < 0 || static_cast<uint64_t>(sample) >= batch)
    return fmt::format("says that the target of sample {} is bad, of {} samples", sample, batch);
  const uint64_t each = target.elements() / batch, first = static_cast<uint64_t>(sample) * each;
  std::string numbers;
  for (uint64_t k = 0; k < std::min<uint64_t>(each, 6); ++k)
    numbers += fmt::format("{}{:.6g}", k > 0 ? ", " : "", target.get(first + k));
  return fmt::format("refuses the target of sample {} (bad_target): {}{}, drawn from {}", sample, numbers,
                     each > 6 ? ", ..." : "", run.target_text());
}

// All labels may have been one that is left out: the next ones.
void turn_labels(LossRun& run, uint32_t bound) {
  for (const auto& target : run.targets)
    for (uint64_t k = 0; is_integer(target->spec()) && k < target->elements(); ++k)
      target->set(k, std::fmod(target->get(k) + 1, bound));
}

Status result(Trial& trial) {
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    LossRun run(bench, trial.dice());
    PLAIT_TRY(run.compute());
    if (run.count() == 0) {
      turn_labels(run, bench.made().bound);
      PLAIT_TRY(run.compute());
    }
    const double with = run.sum();
    if (!std::isfinite(run.sum()))
      return broken(fmt::format("the loss is {} for predictions in 0.05 .. 0.95", run.sum()));
    if (!(run.count() >= 1) || run.count() > run.most_count())
      return broken(fmt::format("counts {} samples for a prediction {}", run.count(),
                                shape_text(bench.made().prediction())));
    if (run.bad_target() != -1) return broken(refused_target(run));
    PLAIT_TRY(run.compute(false));
    return run.sum() == with ? Status() : broken("the result differs when no gradient is needed");
  });
}

// No classes of the prediction, nor of any other number of classes that it may stand for; none where the
// target's type holds none.
std::vector<double> no_classes(const LossCase& made) {
  const int64_t elements = static_cast<int64_t>(element_count(made.prediction().shape));
  const uint32_t dtype = made.targets.front().dtype;
  if (dtype == PLAIT_U8) return elements < 255 ? std::vector<double>{255} : std::vector<double>{};
  std::vector<double> labels = {static_cast<double>(std::max<int64_t>(200, elements)), INT32_MAX, -1, -2,
                                INT32_MIN};
  if (dtype == PLAIT_I64) labels.push_back(0x1p32);  // class 0 in 32 bits
  return labels;
}

// A negative number may stand for a label that is left out: then it counts for nothing.
bool is_left_out(const LossRun& run, double label, double usual_count, uint64_t sample, uint64_t batch) {
  if (label >= 0 || run.bad_target() >= 0 || !(run.count() < usual_count)) return false;
  const uint64_t each = run.gradient.elements() / batch;
  if (run.targets.front()->elements() != batch) return true;  // the gradient of its place is not known here
  for (uint64_t k = sample * each; k < (sample + 1) * each; ++k)
    if (run.gradient.get(k) != 0) return false;
  return true;
}

Status check_bad_label(LossRun& run, double label) {
  SampleTensor& target = *run.targets.front();
  const auto batch = static_cast<uint64_t>(target.spec().shape[0]), stride = target.elements() / batch;
  std::vector<double> usual;
  PLAIT_TRY(run.compute());
  double count = run.count();
  for (uint64_t n = batch; n-- > 0;) {  // the smallest place is told
    usual.push_back(target.get(n * stride));
    target.set(n * stride, label);
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
  for (uint64_t n = 0; n < batch; ++n) target.set(n * stride, usual[batch - 1 - n]);
  return {};
}

Status bad_target(Trial& trial) {
  int tried = 0;
  const Status all = for_each_case(trial, [&](const LossBench& bench) -> Status {
    if (bench.made().targets.size() != 1) return {};
    const PartSpec& target = bench.made().targets.front();
    // As many targets as predictions may be numbers.
    if (!is_integer(target) || element_count(target.shape) == element_count(bench.made().prediction().shape))
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
        bool same = runs[n]->result.same_bits(wanted[n]->result);
        for (size_t p = 0; p < runs[n]->gradients.size(); ++p)
          same = same && runs[n]->gradients[p]->memory().same_bits(wanted[n]->gradients[p]->memory());
        if (!same) return "result or gradient differs";
      }
      return "";
    });
    return fault.empty() ? Status()
                         : broken(fault + " when the same call is made again, on several threads at once");
  });
}

// ---- weights of samples

template <class Check>
Status for_each_weighted_case(Trial& trial, Check check) {
  if (!loss_form(*trial.entry().type).takes_weights) return skipped("takes no weights of samples");
  PLAIT_ASSIGN(const auto cases, loss_cases(trial));
  if (std::ranges::none_of(cases, &LossCase::weighted))
    return skipped("this implementation takes no weights of samples");
  return for_each_case(trial, [&](const LossBench& bench) -> Status {
    if (!bench.made().weighted) return {};
    LossRun run(bench, trial.dice());
    PLAIT_TRY(run.compute());
    return run.bad_target() >= 0 ? Status() : check(bench, run);
  });
}

// Both are sums of the same numbers in f64, gradients in f32 with a few roundings more: 2^-24 each of what
// they are made of, which is at most as large as the largest.
bool is_near(double a, double b, double largest) {
  return std::abs(a - b) <= 4e-6 * std::max(std::abs(a), std::abs(b)) + 1e-6 * largest;
}

double largest_of(const std::vector<double>& numbers) {
  double largest = 0;
  for (const double x : numbers) largest = std::max(largest, std::abs(x));
  return largest;
}

Status check_same(const LossRun& run, const LossRun& other, double factor, const std::string& what) {
  if (!is_near(run.sum(), factor * other.sum(), 0) || !is_near(run.count(), factor * other.count(), 0))
    return broken(fmt::format("{}: the sum is {:.8g} of {:.8g}, wanted {:.8g} of {:.8g}", what, run.sum(),
                              run.count(), factor * other.sum(), factor * other.count()));
  const auto got = gradients_of(run), wanted = gradients_of(other);
  for (size_t p = 0; p < got.size(); ++p)
    for (uint64_t k = 0; k < got[p].size(); ++k)
      if (!is_near(got[p][k], wanted[p][k], largest_of(wanted[p])))
        return broken(fmt::format("{}: the gradient of {} element {} is {:.8g}, wanted {:.8g}", what,
                                  run.read()[p].name, k, got[p][k], wanted[p][k]));
  return {};
}

void copy_inputs(const LossRun& from, const LossRun& to) {
  const auto sources = from.read(), targets = to.read();
  for (size_t i = 0; i < targets.size(); ++i)
    targets[i].tensor->memory().write(sources[i].tensor->memory().data(),
                                      targets[i].tensor->memory().bytes());
}

void set_all(SampleTensor& tensor, uint64_t begin, uint64_t end, double value) {
  for (uint64_t k = begin; k < end; ++k) tensor.set(k, value);
}

// All weights 1 are as none; all of them doubled double sum and count.
Status weights_scale(Trial& trial) {
  return for_each_weighted_case(trial, [&](const LossBench& bench, LossRun& run) -> Status {
    LossCase plain_case = bench.made();
    plain_case.weighted = false;
    PLAIT_ASSIGN(const auto plain_bench, LossBench::create(trial, plain_case));
    LossRun plain(*plain_bench, trial.dice()), twice(bench, trial.dice());
    copy_inputs(run, plain), copy_inputs(run, twice);
    for (uint64_t n = 0; n < run.weights->elements(); ++n) twice.weights->set(n, 2 * run.weight(n));
    PLAIT_TRY(twice.compute());
    PLAIT_TRY(check_same(twice, run, 2, "with all weights doubled"));
    set_all(*run.weights, 0, run.weights->elements(), 1);
    PLAIT_TRY(run.compute());
    PLAIT_TRY(plain.compute());
    return check_same(run, plain, 1, "with all weights 1");
  });
}

// Its predictions, and targets as far as they are no labels.
void change_sample(LossRun& run, uint64_t n, uint64_t samples, double to) {
  for (const auto* const list : {&run.predictions, &run.targets}) {
    for (const auto& one : *list) {
      if (is_integer(one->spec())) continue;
      const uint64_t each = one->elements() / samples;
      set_all(*one, n * each, (n + 1) * each, to);
    }
  }
}

Status weightless_sample(Trial& trial) {
  return for_each_weighted_case(trial, [&](const LossBench& bench, LossRun& run) -> Status {
    const auto samples = static_cast<uint64_t>(bench.made().samples());
    for (uint64_t n = 0; n < samples; ++n) {
      LossRun other(bench, trial.dice());
      copy_inputs(run, other);
      run.weights->set(n, 0), other.weights->set(n, 0);
      change_sample(other, n, samples, 0.5);
      PLAIT_TRY(run.compute());
      PLAIT_TRY(other.compute());
      PLAIT_TRY(check_same(other, run, 1, fmt::format("another sample {} of weight 0", n)));
      for (const auto& gradient : run.gradients) {
        const uint64_t each = gradient->elements() / samples;
        for (uint64_t k = n * each; k < (n + 1) * each; ++k)
          if (gradient->get(k) != 0)
            return broken(fmt::format("sample {} of weight 0 has the gradient {:.6g}", n, gradient->get(k)));
      }
    }
    // No sample has a weight any more.
    if (run.sum() != 0 || run.count() != 0)
      return broken(fmt::format("with all weights 0 the sum is {:.6g} of {:.6g}, wanted 0 of 0", run.sum(),
                                run.count()));
    return {};
  });
}

Status ports(Trial& trial) {
  const LossForm form = loss_form(*trial.entry().type);
  if (form.predictions == nullptr && form.targets == nullptr) return skipped("tells no order");
  PLAIT_TRY(check_ports("prediction", form.predictions));
  PLAIT_TRY(check_ports("target", form.targets));
  PLAIT_TRY(check_port_count("prediction", form.predictions, form.least_predictions));
  return check_port_count("target", form.targets, form.least_targets);
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
      {kKind, "weights_scale", kMust, "weights of 1 are as none, and only their proportions decide gradients",
       weights_scale},
      {kKind, "weightless_sample", kMust, "a sample of weight 0 counts for nothing", weightless_sample},
      {kKind, "ports", kMust, "predictions and targets are told in their order", ports},
      {kKind, "same_again", kMust, "the same call gives the same bits, on several threads too", same_again},
      {kKind, "no_leak", kMust, "create and destroy leave nothing behind", leaks_nothing},
      {kKind, "no_allocation", kMust, "a call allocates nothing", no_allocation},
  };
}

}  // namespace plait::inline verify
