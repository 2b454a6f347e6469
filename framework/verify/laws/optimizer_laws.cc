// Laws of optimizers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <set>

#include "verify/benches/optimizer_bench.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kConfigs = 12;
constexpr uint64_t kCount = kOptimizerCount;

std::vector<float> draw(Dice& dice, uint64_t count = kCount) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(dice.between(-1, 1));
  return values;
}

// As the host does: observe first where there is one.
Status step(OptimizerRun& run, const float* gradient, int64_t number) {
  PLAIT_ASSIGN(const double observed, run.observe(gradient, number));
  return run.step(gradient, number, observed);
}

template <class Check>
Status for_each_bench(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, kConfigs));
  int tried = 0;
  Status refusal;
  for (const Example& one : configs) {
    auto bench = OptimizerBench::create(trial, *one.config);
    if (!bench) {
      refusal = bench.status();
      continue;
    }
    trial.doing("step, " + (*bench)->text());
    PLAIT_TRY(check(**bench).at((*bench)->text()));
    ++tried;
  }
  if (tried == 0) return refusal;
  trial.remark(fmt::format("{} configurations", tried));
  return {};
}

Status keeps_zero(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    OptimizerRun run(bench, std::vector<float>(kCount, 0.0f));
    const std::vector<float> zeros(kCount, 0.0f);
    for (int64_t t = 0; t < 5; ++t) {
      PLAIT_TRY(step(run, zeros.data(), t));
      for (uint64_t k = 0; k < kCount; ++k)
        if (run.weights.as<float>()[k] != 0)
          return broken(
              fmt::format("moves a weight of 0 with gradient 0 to {} in step {}: padding would not stay zero",
                          run.weights.as<float>()[k], t));
    }
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    const auto first = draw(trial.dice()), other = draw(trial.dice());
    std::vector<std::vector<float>> gradients;
    for (int t = 0; t < 8; ++t) gradients.push_back(draw(trial.dice()));
    OptimizerRun alone(bench, first), mixed(bench, first), disturbing(bench, other);
    for (int64_t t = 0; t < 8; ++t) PLAIT_TRY(step(alone, gradients[static_cast<size_t>(t)].data(), t));
    for (int64_t t = 0; t < 8; ++t) {
      PLAIT_TRY(step(disturbing, gradients[static_cast<size_t>(7 - t)].data(), t));
      PLAIT_TRY(step(mixed, gradients[static_cast<size_t>(t)].data(), t));
    }
    if (const auto what = alone.difference(mixed); !what.empty())
      return broken(
          what +
          " differ when another tensor is stepped in between: the instance keeps a state besides its slots");
    return {};
  });
}

Status state(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    const auto first = draw(trial.dice());
    std::vector<std::vector<float>> gradients;
    for (int t = 0; t < 6; ++t) gradients.push_back(draw(trial.dice()));
    OptimizerRun whole(bench, first), before(bench, first);
    for (int64_t t = 0; t < 6; ++t) PLAIT_TRY(step(whole, gradients[static_cast<size_t>(t)].data(), t));
    for (int64_t t = 0; t < 3; ++t) PLAIT_TRY(step(before, gradients[static_cast<size_t>(t)].data(), t));
    // Saved and loaded: other memory, the same values.
    OptimizerRun after(bench, first);
    after.weights.write(before.weights.data(), before.weights.bytes());
    for (size_t i = 0; i < after.slots.size(); ++i)
      after.slots[i].write(before.slots[i].data(), before.slots[i].bytes());
    for (int64_t t = 3; t < 6; ++t) PLAIT_TRY(step(after, gradients[static_cast<size_t>(t)].data(), t));
    if (const auto what = whole.difference(after); !what.empty())
      return broken(
          what +
          " differ when the run is saved and goes on in other memory: state is kept besides the slots");
    return {};
  });
}

Status elementwise(Trial& trial) {
  const bool claims = trial.rules<plait_optimizer_rules>().flags & PLAIT_OPTIMIZER_ELEMENTWISE;
  if (!claims) return skipped("does not say that it is elementwise");
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    const auto first = draw(trial.dice());
    OptimizerRun whole(bench, first), left(bench, first, 0, 13), right(bench, first, 13, kCount);
    left.name = right.name = "";
    for (int64_t t = 0; t < 4; ++t) {
      const auto gradient = draw(trial.dice());
      PLAIT_ASSIGN(const double observed, whole.observe(gradient.data(), t));
      PLAIT_TRY(whole.step(gradient.data(), t, observed));
      PLAIT_TRY(left.step(gradient.data(), t, observed));
      PLAIT_TRY(right.step(gradient.data() + 13, t, observed));
    }
    const auto differs = [&](const Guarded& all, const Guarded& a, const Guarded& b) {
      return std::memcmp(all.data(), a.data(), a.bytes()) != 0 ||
             std::memcmp(all.as<float>() + 13, b.data(), b.bytes()) != 0;
    };
    if (differs(whole.weights, left.weights, right.weights))
      return broken("says that it is elementwise, but weights differ when the tensor is cut in two");
    for (size_t i = 0; i < whole.slots.size(); ++i)
      if (differs(whole.slots[i], left.slots[i], right.slots[i]))
        return broken("says that it is elementwise, but slot \"" + bench.slots()[i].name +
                      "\" differs when the tensor is cut in two");
    return {};
  });
}

// ---- large tensors

constexpr uint64_t kLargeCount = (1 << 16) + 4441;

// Pieces are shorter than any count of 15 bits.
Status compare_with_pieces(Trial& trial, const OptimizerBench& bench, const std::vector<float>& first) {
  const std::vector<uint64_t> cuts = {0, 13, 20011, 40009, 60013, kLargeCount};
  OptimizerRun whole(bench, first, 0, kLargeCount);
  std::vector<std::unique_ptr<OptimizerRun>> pieces;
  for (size_t i = 0; i + 1 < cuts.size(); ++i)
    pieces.push_back(std::make_unique<OptimizerRun>(bench, first, cuts[i], cuts[i + 1]));
  for (int64_t t = 0; t < 2; ++t) {
    const auto gradient = draw(trial.dice(), kLargeCount);
    PLAIT_ASSIGN(const double observed, whole.observe(gradient.data(), t));
    PLAIT_TRY(whole.step(gradient.data(), t, observed));
    for (size_t i = 0; i < pieces.size(); ++i)
      PLAIT_TRY(pieces[i]->step(gradient.data() + cuts[i], t, observed));
  }
  if (const auto text = whole.overrun(); !text.empty()) return broken("writes outside its memory: " + text);
  const auto check = [&](const std::string& what, const Guarded& all, const Guarded& piece, uint64_t begin) {
    for (uint64_t k = 0; k < piece.bytes() / 4; ++k)
      if (std::memcmp(all.as<float>() + begin + k, piece.as<float>() + k, 4) != 0)
        return broken(fmt::format("{} {} of {} is {:.6g}, but {:.6g} when the tensor is cut into pieces",
                                  what, begin + k, kLargeCount, all.as<float>()[begin + k],
                                  piece.as<float>()[k]));
    return Status();
  };
  for (size_t i = 0; i < pieces.size(); ++i) {
    PLAIT_TRY(check("weight", whole.weights, pieces[i]->weights, cuts[i]));
    for (size_t slot = 0; slot < whole.slots.size(); ++slot)
      PLAIT_TRY(check("slot \"" + bench.slots()[slot].name + "\"", whole.slots[slot], pieces[i]->slots[slot],
                      cuts[i]));
  }
  return {};
}

// Weights see each other here: pieces say nothing. Whatever it computes, a tensor that repeats itself moves
// at its end where it moves at its beginning.
Status compare_with_copies(Trial& trial, const OptimizerBench& bench) {
  const auto few = draw(trial.dice(), kCount), slopes = draw(trial.dice(), kCount);
  std::vector<float> first(kLargeCount), gradient(kLargeCount);
  for (uint64_t k = 0; k < kLargeCount; ++k) first[k] = few[k % kCount], gradient[k] = slopes[k % kCount];
  OptimizerRun run(bench, first, 0, kLargeCount);
  for (int64_t t = 0; t < 2; ++t) PLAIT_TRY(step(run, gradient.data(), t));
  if (const auto text = run.overrun(); !text.empty()) return broken("writes outside its memory: " + text);
  const auto moved = [&](uint64_t begin) {
    for (uint64_t k = begin; k < begin + kCount; ++k)
      if (run.weights.as<float>()[k] != first[k]) return true;
    return false;
  };
  for (uint64_t begin = 0; begin + kCount <= kLargeCount; begin += kCount)
    if (moved(0) != moved(begin))
      return broken(fmt::format("weights {} to {} of {} {}, copies of those at its beginning, which {}",
                                begin, begin + kCount - 1, kLargeCount, moved(begin) ? "move" : "do not move",
                                moved(0) ? "do" : "do not"));
  return {};
}

Status large(Trial& trial) {
  const bool claims = trial.rules<plait_optimizer_rules>().flags & PLAIT_OPTIMIZER_ELEMENTWISE;
  int tried = 0;
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    if (++tried > 4) return {};
    return claims ? compare_with_pieces(trial, bench, draw(trial.dice(), kLargeCount))
                  : compare_with_copies(trial, bench);
  });
}

Status memory(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    OptimizerRun run(bench, draw(trial.dice()));
    for (int64_t t = 0; t < 3; ++t) {
      const auto gradient = draw(trial.dice());
      PLAIT_TRY(step(run, gradient.data(), t));
      if (const auto text = run.overrun(); !text.empty()) return broken("writes outside its memory: " + text);
      if (std::memcmp(run.gradients.data(), gradient.data(), run.gradients.bytes()) != 0)
        return broken("writes the gradients, which it is given to read");
    }
    return {};
  });
}

Status finite(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    // Squares of the largest are still numbers of f32; no optimizer needs higher powers.
    for (const float size : {0.0f, 1.0f, 1e-20f, 1e6f, 1e13f, 1e18f}) {
      OptimizerRun run(bench, draw(trial.dice()));
      for (int64_t t = 0; t < 10; ++t) {
        auto gradient = draw(trial.dice());
        for (float& g : gradient) g *= size;
        PLAIT_TRY(step(run, gradient.data(), t));
      }
      for (uint64_t k = 0; k < kCount; ++k)
        if (std::isnan(run.weights.as<float>()[k]))
          return broken(fmt::format("weights become NaN with gradients of size {:g}", size));
    }
    return {};
  });
}

Status slots_named(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    std::set<std::string> names;
    for (const OptimizerSlot& slot : bench.slots()) {
      if (slot.name.empty()) return broken("a slot has no name");
      if (!std::isfinite(slot.initial))
        return broken("slot \"" + slot.name + "\" begins as " + fmt::format("{}", slot.initial));
      if (!names.insert(slot.name).second) return broken("two slots are named \"" + slot.name + "\"");
    }
    return {};
  });
}

Status descends(Trial& trial) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 1));
  PLAIT_ASSIGN(auto bench, OptimizerBench::create(trial, *configs.front().config));
  trial.doing("100 steps on a bowl, " + bench->text());
  const std::vector<float> first(kCount, 1.0f);
  OptimizerRun run(*bench, first);
  for (int64_t t = 0; t < 100; ++t) {
    const std::vector<float> gradient(run.weights.as<float>(), run.weights.as<float>() + kCount);
    PLAIT_TRY(step(run, gradient.data(), t));
  }
  const double end = run.weights.as<float>()[0];
  if (!(std::abs(end) < 1)) return broken(fmt::format("on w^2 / 2, 100 steps from 1 end at {:.4g}", end));
  trial.remark(fmt::format("on w^2 / 2, 100 steps from 1 end at {:.3g}", end));
  return {};
}

Status concurrent(Trial& trial) {
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    constexpr size_t kThreads = 4;
    std::vector<std::vector<float>> first, gradient;
    std::vector<std::unique_ptr<OptimizerRun>> wanted;
    for (size_t n = 0; n < kThreads; ++n) {
      first.push_back(draw(trial.dice())), gradient.push_back(draw(trial.dice()));
      wanted.push_back(std::make_unique<OptimizerRun>(bench, first[n]));
      for (int64_t t = 0; t < 20; ++t) PLAIT_TRY(step(*wanted[n], gradient[n].data(), t));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 10; ++i) {
        OptimizerRun run(bench, first[n]);
        for (int64_t t = 0; t < 20; ++t)
          if (const Status status = step(run, gradient[n].data(), t); !status) return status.message();
        if (const auto what = wanted[n]->difference(run); !what.empty()) return what + " differ";
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads step at once with one instance");
  });
}

Status no_allocation(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    OptimizerRun run(bench, draw(trial.dice()));
    const auto gradient = draw(trial.dice());
    for (int64_t t = 0; t < 3; ++t) PLAIT_TRY(step(run, gradient.data(), t));
    const uint64_t before = heap_watch()->allocations();
    Status status;
    for (int64_t t = 3; t < 20 && status; ++t) status = run.step(gradient.data(), t, 1);
    const uint64_t asked = heap_watch()->allocations() - before;
    PLAIT_TRY(status);
    return asked == 0 ? Status() : broken(fmt::format("allocates {} blocks in 17 steps", asked));
  });
}

// ---- whole parameters

const std::vector<std::vector<int64_t>>& shapes() {
  static const std::vector<std::vector<int64_t>> all = {
      {}, {1}, {37}, {1, 9}, {9, 1}, {6, 7}, {9, 4}, {5, 2, 3}, {4, 3, 2, 2}, {2, 3, 1, 2, 2}};
  return all;
}

std::string shape_words(const std::vector<int64_t>& shape) {
  return fmt::format("a parameter of [{}]", fmt::join(shape, ", "));
}

// Of one shape: nothing but weights and slots is written, zeros stay zero, the same calls give the same bits.
Status check_shape(Trial& trial, const OptimizerBench& bench, const std::vector<int64_t>& shape) {
  uint64_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<uint64_t>(extent);
  const auto first = draw(trial.dice(), count);
  OptimizerRun run(bench, first, 0, count), again(bench, first, 0, count),
      zeros(bench, std::vector<float>(count), 0, count);
  for (OptimizerRun* each : {&run, &again, &zeros}) each->shape = shape;
  const std::vector<float> nothing(count);
  uint64_t asked = 0;
  for (int64_t t = 0; t < 6; ++t) {
    const auto gradient = draw(trial.dice(), count);
    PLAIT_TRY(step(zeros, nothing.data(), t));
    PLAIT_TRY(step(again, gradient.data(), t));
    const uint64_t before = heap_watch() == nullptr ? 0 : heap_watch()->allocations();
    PLAIT_TRY(run.step(gradient.data(), t, *again.observe(gradient.data(), t)));
    if (t > 2 && heap_watch() != nullptr) asked += heap_watch()->allocations() - before;
    if (const auto text = run.overrun(); !text.empty()) return broken("writes outside its memory: " + text);
    if (std::memcmp(run.gradients.data(), gradient.data(), run.gradients.bytes()) != 0)
      return broken("writes the gradients, which it is given to read");
    for (uint64_t k = 0; k < count; ++k) {
      if (std::isnan(run.weights.as<float>()[k])) return broken(fmt::format("weight {} becomes NaN", k));
      if (zeros.weights.as<float>()[k] != 0)
        return broken(fmt::format("moves a weight of 0 with gradient 0 to {}", zeros.weights.as<float>()[k]));
    }
  }
  if (const auto what = run.difference(again); !what.empty()) return broken(what + " differ in a second run");
  return asked == 0 ? Status() : broken(fmt::format("allocates {} blocks in 3 steps", asked));
}

Status plain(Trial& trial) {
  const bool claims = trial.rules<plait_optimizer_rules>().flags & PLAIT_OPTIMIZER_PLAIN;
  if (!claims) return skipped("does not ask for whole parameters");
  return for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    for (const auto& shape : shapes()) {
      trial.doing(shape_words(shape) + ", " + bench.text());
      PLAIT_TRY(check_shape(trial, bench, shape).at(shape_words(shape)));
    }
    return {};
  });
}

// ---- a second gradient

// What the host puts back is the weights alone; and it can not tell padding from a weight.
Status check_moved(Trial& trial, const OptimizerBench& bench) {
  const auto first = draw(trial.dice()), gradient = draw(trial.dice()), other = draw(trial.dice());
  const std::vector<float> nothing(kCount);
  OptimizerRun run(bench, first), again(bench, first), disturbing(bench, other), zeros(bench, nothing);
  for (int64_t t = 0; t < 3; ++t) PLAIT_TRY(step(run, gradient.data(), t));
  for (int64_t t = 0; t < 3; ++t) PLAIT_TRY(step(again, gradient.data(), t));
  std::vector<std::vector<float>> slots;
  for (const Guarded& slot : run.slots) slots.emplace_back(slot.as<float>(), slot.as<float>() + kCount);
  PLAIT_ASSIGN(const double observed, run.observe(gradient.data(), 3));
  PLAIT_TRY(disturbing.move(other.data(), 7, 2 * observed + 1));
  PLAIT_TRY(run.move(gradient.data(), 3, observed));
  if (const auto text = run.overrun(); !text.empty()) return broken("writes outside its memory: " + text);
  if (std::memcmp(run.gradients.data(), gradient.data(), run.gradients.bytes()) != 0)
    return broken("writes the gradients, which it is given to read");
  for (size_t i = 0; i < slots.size(); ++i)
    if (std::memcmp(run.slots[i].data(), slots[i].data(), run.slots[i].bytes()) != 0)
      return broken("writes slot \"" + bench.slots()[i].name + "\", which is not put back");
  PLAIT_TRY(again.move(gradient.data(), 3, observed));
  if (const auto what = run.difference(again); !what.empty())
    return broken(what + " differ when another tensor is moved before: the instance keeps a state");
  PLAIT_TRY(zeros.move(nothing.data(), 0, 0));
  for (uint64_t k = 0; k < kCount; ++k)
    if (zeros.weights.as<float>()[k] != 0)
      return broken(fmt::format("moves a weight of 0 with gradient 0 to {}: padding would not stay zero",
                                zeros.weights.as<float>()[k]));
  return {};
}

Status move(Trial& trial) {
  int tried = 0;
  const Status all = for_each_bench(trial, [&](const OptimizerBench& bench) -> Status {
    if (!bench.moves()) return {};
    ++tried;
    return check_moved(trial, bench);
  });
  return all && tried == 0 ? skipped("wants no second gradient") : all;
}

}  // namespace

std::vector<Law> optimizer_laws() {
  constexpr const char* kKind = "optimizer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "keeps_zero", kMust, "a weight of 0 with gradient 0 stays 0", keeps_zero},
      {kKind, "same_again", kMust, "tensors are stepped independently of each other", same_again},
      {kKind, "state", kMust, "weights, slots and the step number are all the state there is", state},
      {kKind, "elementwise", kMust, "where it says elementwise, cutting a tensor changes nothing",
       elementwise},
      {kKind, "plain", kMust, "where it wants whole parameters, every shape of them is stepped", plain},
      {kKind, "move", kMust, "the way to a second gradient changes nothing but weights", move},
      {kKind, "large", kMust, "a tensor of more than 2^16 weights is stepped at every place", large},
      {kKind, "memory", kMust, "writes weights and slots only", memory},
      {kKind, "finite", kMust, "weights do not become NaN, whatever the size of the gradients", finite},
      {kKind, "slots", kMust, "slots have names of their own and finite beginnings", slots_named},
      {kKind, "concurrent", kMust, "one instance serves several threads at once", concurrent},
      {kKind, "no_allocation", kMust, "a step allocates nothing", no_allocation},
      {kKind, "descends", Severity::kShould, "with its defaults it makes a convex function smaller",
       descends},
  };
}

}  // namespace plait::inline verify
