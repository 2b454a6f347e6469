// Laws of metrics.
#include <fmt/format.h>

#include <cmath>

#include "registry/shape_text.h"
#include "verify/heap.h"
#include "verify/law.h"
#include "verify/metric_bench.h"

namespace plait {
namespace {

template <class Check>
Status for_each_bench(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto all, metric_benches(trial));
  for (const auto& bench : all) {
    trial.doing("update and finish, " + bench->text());
    PLAIT_TRY(check(*bench).at(bench->text()));
  }
  trial.remark(fmt::format("{} cases", all.size()));
  return {};
}

// Sums of f32 results in f64: another order of 12 terms changes the last places of a double.
bool near(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-9 * (std::abs(a) + std::abs(b)) + 1e-12;
}

Status merges(Trial& trial) {
  return for_each_bench(trial, [&](const MetricBench& bench) -> Status {
    const MetricData data(bench, trial.dice());
    std::vector<double> whole(bench.state_size), merged(bench.state_size);
    PLAIT_TRY(bench.update(data.prediction, data.target, whole.data()));
    for (int64_t begin = 0; begin < kMetricBatch;) {
      const int64_t end =
          std::min<int64_t>(kMetricBatch, begin + 1 + static_cast<int64_t>(trial.dice().below(5)));
      std::vector<double> part(bench.state_size);
      PLAIT_TRY(
          bench.update(*slice(data.prediction, begin, end), *slice(data.target, begin, end), part.data()));
      for (size_t i = 0; i < part.size(); ++i) merged[i] += part[i];
      begin = end;
    }
    for (size_t i = 0; i < whole.size(); ++i)
      if (!near(whole[i], merged[i]))
        return broken(fmt::format(
            "states do not merge by addition: number {} is {} for the batch, {} as the sum of its parts", i,
            whole[i], merged[i]));
    std::vector<double> twice = whole;
    PLAIT_TRY(bench.update(data.prediction, data.target, twice.data()));
    for (size_t i = 0; i < whole.size(); ++i)
      if (!near(twice[i], 2 * whole[i]))
        return broken(fmt::format(
            "update does not add to its state: number {} is {} after twice the same batch, {} after once", i,
            twice[i], whole[i]));
    return {};
  });
}

// A batch of more than 2^16 numbers beside small parts of it. Sums of n numbers of the order of 1 in f64 are
// off by at most n^2 / 2 * 2^-53.
Status large(Trial& trial) {
  constexpr int64_t kLarge = (1 << 16) + 999, kPart = 61;
  return for_each_bench(trial, [&](const MetricBench& small) -> Status {
    const auto each = static_cast<int64_t>(element_count(small.prediction.shape)) / small.prediction.shape[0];
    const int64_t samples = kLarge / std::max<int64_t>(each, 1) + kPart / 2;
    MetricBench bench;
    bench.config = small.config, bench.bound = small.bound;
    bench.prediction = small.prediction, bench.target = small.target;
    bench.prediction.shape[0] = bench.target.shape[0] = samples;
    PLAIT_TRY(create_metric(trial, bench));
    const MetricData data(bench, trial.dice());
    std::vector<double> whole(bench.state_size), merged(bench.state_size);
    trial.doing("update, " + bench.text());
    PLAIT_TRY(bench.update(data.prediction, data.target, whole.data()));
    for (int64_t begin = 0; begin < samples; begin += kPart) {
      const int64_t end = std::min(begin + kPart, samples);
      std::vector<double> part(bench.state_size);
      PLAIT_TRY(
          small.update(*slice(data.prediction, begin, end), *slice(data.target, begin, end), part.data()));
      for (size_t i = 0; i < part.size(); ++i) merged[i] += part[i];
    }
    const auto terms = static_cast<double>(samples * each);
    for (size_t i = 0; i < whole.size(); ++i)
      if (!near(whole[i], merged[i]) && !(std::abs(whole[i] - merged[i]) <= terms * terms * 0x1p-54))
        return broken(
            fmt::format("number {} of the state is {} for a batch of {} samples, {} as the sum of its parts",
                        i, whole[i], samples, merged[i]));
    return {};
  });
}

Status finishes(Trial& trial) {
  return for_each_bench(trial, [&](const MetricBench& bench) -> Status {
    const MetricData data(bench, trial.dice());
    std::vector<double> state(bench.state_size);
    PLAIT_TRY(bench.update(data.prediction, data.target, state.data()));
    std::vector<double> once(bench.ops->n_values), doubled(bench.ops->n_values), twice(state);
    PLAIT_TRY(bench.finish(state.data(), once.data()));
    for (double& number : twice) number *= 2;
    PLAIT_TRY(bench.finish(twice.data(), doubled.data()));
    for (size_t i = 0; i < once.size(); ++i) {
      const plait_metric_value* value = bench.ops->values[i];
      if (!std::isfinite(once[i])) return broken(fmt::format("{} is {}", value->name, once[i]));
      if (!near(once[i], doubled[i]))
        return broken(fmt::format("{} is {} for some samples, {} when each is counted twice", value->name,
                                  once[i], doubled[i]));
    }
    return {};
  });
}

Status memory(Trial& trial) {
  return for_each_bench(trial, [&](const MetricBench& bench) -> Status {
    MetricData data(bench, trial.dice());
    Guarded state(bench.state_size * 8, Poison::kNan), values(bench.ops->n_values * 8, Poison::kNan);
    std::memset(state.data(), 0, state.bytes());
    Guarded prediction(data.prediction.memory().bytes(), Poison::kNan),
        target(data.target.memory().bytes(), Poison::kNan);
    prediction.write(data.prediction.memory().data(), prediction.bytes()),
        target.write(data.target.memory().data(), target.bytes());
    PLAIT_TRY(bench.update(data.prediction, data.target, state.as<double>()));
    PLAIT_TRY(bench.finish(state.as<double>(), values.as<double>()));
    for (const auto& [what, block] :
         std::vector<std::pair<const char*, const Guarded*>>{{"state", &state},
                                                             {"values", &values},
                                                             {"prediction", &data.prediction.memory()},
                                                             {"target", &data.target.memory()}})
      if (const auto text = block->overrun(); !text.empty())
        return broken(fmt::format("writes outside its memory: {}: {}", what, text));
    if (!prediction.same_bits(data.prediction.memory()) || !target.same_bits(data.target.memory()))
      return broken("writes its prediction or target");
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_bench(trial, [&](const MetricBench& bench) -> Status {
    constexpr size_t kThreads = 4;
    std::vector<std::unique_ptr<MetricData>> data;
    std::vector<std::vector<double>> wanted(kThreads, std::vector<double>(bench.state_size));
    for (size_t n = 0; n < kThreads; ++n) {
      data.push_back(std::make_unique<MetricData>(bench, trial.dice()));
      PLAIT_TRY(bench.update(data[n]->prediction, data[n]->target, wanted[n].data()));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 100; ++i) {
        std::vector<double> state(bench.state_size);
        if (const Status status = bench.update(data[n]->prediction, data[n]->target, state.data()); !status)
          return status.message();
        if (state != wanted[n]) return "the state differs";
      }
      return "";
    });
    return fault.empty()
               ? Status()
               : broken(fault + " when the same batch is counted again, on several threads at once");
  });
}

Status leaks_nothing(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  constexpr int kTimes = 50;
  PLAIT_ASSIGN(const auto first, metric_benches(trial));
  const int64_t before = heap_watch()->live_blocks();
  for (int i = 0; i < kTimes; ++i) {
    MetricBench again;
    again.config = first[0]->config, again.prediction = first[0]->prediction, again.target = first[0]->target;
    PLAIT_TRY(create_metric(trial, again));
  }
  const int64_t left = heap_watch()->live_blocks() - before;
  return left < kTimes
             ? Status()
             : broken(fmt::format("leaks: {} blocks more after {} times create and destroy", left, kTimes));
}

Status values_named(Trial& trial) {
  const auto& ops = trial.ops<plait_metric_ops>();
  if (ops.n_values == 0) return broken("has no values");
  for (uint32_t i = 0; i < ops.n_values; ++i) {
    const plait_metric_value* value = ops.values[i];
    if (value == nullptr || value->name == nullptr || *value->name == '\0')
      return broken(fmt::format("value {} has no name", i));
    if (value->doc == nullptr || *value->doc == '\0')
      return broken(fmt::format("value {} has no doc", value->name));
  }
  return {};
}

}  // namespace

std::vector<Law> metric_laws() {
  constexpr const char* kKind = "metric";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "values", kMust, "every value has a name and a doc", values_named},
      {kKind, "merges", kMust, "states of parts of a batch add up to the batch's", merges},
      {kKind, "large", kMust, "a batch of more than 2^16 numbers is counted in full", large},
      {kKind, "finish", kMust, "values are finite and do not depend on how many samples there are alike",
       finishes},
      {kKind, "no_leak", kMust, "create and destroy leave nothing behind", leaks_nothing},
      {kKind, "memory", kMust, "writes its state and values only", memory},
      {kKind, "same_again", kMust, "the same batch gives the same bits, on several threads too", same_again},
  };
}

}  // namespace plait
