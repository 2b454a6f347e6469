// Laws of metrics.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "registry/shape_text.h"
#include "verify/benches/metric_bench.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
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

// The host cuts records into blocks, and keeps what each appends after the one before.
Status rows(Trial& trial) {
  return for_each_bench(trial, [&](const MetricBench& bench) -> Status {
    if (!PLAIT_HAS(bench.ops, row_size)) return skipped("keeps no rows");
    if (bench.row_size < 1 || bench.row_size > 65536)
      return broken(fmt::format("rows have {} numbers, wanted 1 .. 65536", bench.row_size));
    const MetricData data(bench, trial.dice());
    std::vector<double> whole, parts;
    PLAIT_TRY(bench.update_rows(data.prediction, data.target, whole));
    for (int64_t begin = 0; begin < kMetricBatch;) {
      const int64_t end =
          std::min<int64_t>(kMetricBatch, begin + 1 + static_cast<int64_t>(trial.dice().below(5)));
      PLAIT_TRY(
          bench.update_rows(*slice(data.prediction, begin, end), *slice(data.target, begin, end), parts));
      begin = end;
    }
    if (whole.size() != parts.size())
      return broken(fmt::format("appends {} rows for a batch, and {} for its parts",
                                whole.size() / bench.row_size, parts.size() / bench.row_size));
    for (size_t i = 0; i < whole.size(); ++i)
      if (std::memcmp(&whole[i], &parts[i], sizeof(double)) != 0)
        return broken(fmt::format("number {} of row {} is {} for a batch, {} when it is cut into parts",
                                  i % bench.row_size, i / bench.row_size, whole[i], parts[i]));
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
    std::vector<double> whole_rows, part_rows;
    PLAIT_TRY(bench.update(data.prediction, data.target, whole.data()));
    PLAIT_TRY(bench.update_rows(data.prediction, data.target, whole_rows));
    for (int64_t begin = 0; begin < samples; begin += kPart) {
      const int64_t end = std::min(begin + kPart, samples);
      std::vector<double> part(bench.state_size);
      const auto p = slice(data.prediction, begin, end), t = slice(data.target, begin, end);
      PLAIT_TRY(small.update(*p, *t, part.data()));
      PLAIT_TRY(small.update_rows(*p, *t, part_rows));
      for (size_t i = 0; i < part.size(); ++i) merged[i] += part[i];
    }
    if (whole_rows != part_rows)
      return broken(fmt::format("rows of a batch of {} samples are not those of its parts", samples));
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
    std::vector<double> rows;
    PLAIT_TRY(bench.update_rows(data.prediction, data.target, rows));
    std::vector<double> once(bench.values.size()), doubled(bench.values.size()), twice(state), more(rows);
    PLAIT_TRY(bench.finish(state.data(), rows, once.data()));
    for (double& number : twice) number *= 2;
    more.insert(more.end(), rows.begin(), rows.end());
    PLAIT_TRY(bench.finish(twice.data(), more, doubled.data()));
    for (size_t i = 0; i < once.size(); ++i) {
      const std::string& name = bench.values[i].name;
      if (!std::isfinite(once[i])) return broken(fmt::format("{} is {}", name, once[i]));
      if (!near(once[i], doubled[i]))
        return broken(fmt::format("{} is {} for some samples, {} when each is counted twice", name, once[i],
                                  doubled[i]));
    }
    return {};
  });
}

Status memory(Trial& trial) {
  return for_each_bench(trial, [&](const MetricBench& bench) -> Status {
    MetricData data(bench, trial.dice());
    Guarded state(bench.state_size * 8, Poison::kNan), values(bench.values.size() * 8, Poison::kNan);
    std::fill_n(state.as<double>(), bench.state_size, 0.0);
    Guarded prediction(data.prediction.memory().bytes(), Poison::kNan),
        target(data.target.memory().bytes(), Poison::kNan);
    prediction.write(data.prediction.memory().data(), prediction.bytes()),
        target.write(data.target.memory().data(), target.bytes());
    PLAIT_TRY(bench.update(data.prediction, data.target, state.as<double>()));
    std::vector<double> appended;
    PLAIT_TRY(bench.update_rows(data.prediction, data.target, appended));
    Guarded kept(appended.size() * 8, Poison::kNan);
    kept.write(appended.data(), kept.bytes());
    PLAIT_TRY(bench.finish(state.as<double>(), {kept.as<double>(), appended.size()}, values.as<double>()));
    if (!appended.empty() && std::memcmp(kept.data(), appended.data(), kept.bytes()) != 0)
      return broken("writes its rows");
    for (const auto& [what, block] :
         std::vector<std::pair<const char*, const Guarded*>>{{"state", &state},
                                                             {"values", &values},
                                                             {"rows", &kept},
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
    std::vector<std::vector<double>> wanted(kThreads, std::vector<double>(bench.state_size)),
        wanted_rows(kThreads), wanted_values(kThreads, std::vector<double>(bench.values.size()));
    for (size_t n = 0; n < kThreads; ++n) {
      data.push_back(std::make_unique<MetricData>(bench, trial.dice()));
      PLAIT_TRY(bench.update(data[n]->prediction, data[n]->target, wanted[n].data()));
      PLAIT_TRY(bench.update_rows(data[n]->prediction, data[n]->target, wanted_rows[n]));
      PLAIT_TRY(bench.finish(wanted[n].data(), wanted_rows[n], wanted_values[n].data()));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 100; ++i) {
        std::vector<double> state(bench.state_size), rows, values(bench.values.size());
        Status status = bench.update(data[n]->prediction, data[n]->target, state.data());
        if (status) status = bench.update_rows(data[n]->prediction, data[n]->target, rows);
        if (status) status = bench.finish(state.data(), rows, values.data());
        if (!status) return status.message();
        if (state != wanted[n]) return "the state differs";
        if (rows != wanted_rows[n]) return "the rows differ";
        if (values != wanted_values[n]) return "the values differ";
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

bool is_name(const std::string& text) {
  return std::ranges::all_of(
      text, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

// Names and docs of one description. That of the metric itself, "", may stand for one value where the metric
// describes them.
Status check_values(const std::vector<MetricValueText>& values, bool describes) {
  if (values.empty()) return broken("has no values");
  if (values.size() > 4096) return broken(fmt::format("has {} values, wanted at most 4096", values.size()));
  std::set<std::string> names;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto& [name, doc, higher] = values[i];
    if (name.empty() && !describes) return broken(fmt::format("value {} has no name", i));
    if (describes && !is_name(name))
      return broken(fmt::format("value \"{}\" has more than letters, digits, \"_\", \"-\" and \".\"", name));
    if (!names.insert(name).second) return broken(fmt::format("two values are called \"{}\"", name));
    if (doc.empty()) return broken(fmt::format("value {} has no doc", name));
  }
  return {};
}

Status described(const MetricBench& bench) {
  // As sources have them: more and fewer than there are places, and names that no report can show.
  std::vector<std::string> some = {"cat", "T-shirt/top", "d\xc3\xb6g", "", "a b", "a_b", "9"};
  std::vector<std::string> many = some;
  for (int i = 0; i < 300; ++i) many.push_back("class " + std::to_string(i));
  for (const auto& classes : {std::vector<std::string>(), some, many}) {
    PLAIT_ASSIGN(const auto first, describe_metric(bench, classes));
    PLAIT_ASSIGN(const auto again, describe_metric(bench, classes));
    const std::string of = fmt::format("a source of {} classes", classes.size());
    PLAIT_TRY(check_values(first, true).at(of));
    if (!(first == again)) return broken("names other values when it is asked again").at(of);
    if (first.size() != bench.values.size())
      return broken(fmt::format("{} values, but {} where the source does not say its classes", first.size(),
                                bench.values.size()))
          .at(of);
  }
  return {};
}

Status values_named(Trial& trial) {
  const auto& ops = trial.ops<plait_metric_ops>();
  if (PLAIT_HAS(&ops, describe)) return for_each_bench(trial, described);
  MetricBench bench;
  bench.ops = &ops;
  for (uint32_t i = 0; i < ops.n_values; ++i)
    if (ops.values[i] == nullptr) return broken(fmt::format("value {} has no name", i));
  PLAIT_ASSIGN(const auto values, describe_metric(bench, {}));
  return check_values(values, false);
}

}  // namespace

std::vector<Law> metric_laws() {
  constexpr const char* kKind = "metric";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "values", kMust, "every value has a name of its own and a doc, whatever the source's classes",
       values_named},
      {kKind, "merges", kMust, "states of parts of a batch add up to the batch's", merges},
      {kKind, "rows", kMust, "rows of a batch are those of its parts, one after the other", rows},
      {kKind, "large", kMust, "a batch of more than 2^16 numbers is counted in full", large},
      {kKind, "finish", kMust, "values are finite and do not depend on how many samples there are alike",
       finishes},
      {kKind, "no_leak", kMust, "create and destroy leave nothing behind", leaks_nothing},
      {kKind, "memory", kMust, "writes its state and values only", memory},
      {kKind, "same_again", kMust, "the same batch gives the same bits, on several threads too", same_again},
  };
}

}  // namespace plait::inline verify
