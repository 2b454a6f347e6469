#include "verify/benches/task_trial.h"

#include <fmt/format.h>

#include <cmath>

namespace plait::inline verify {
namespace {

bool is_sum(uint32_t rule) { return rule == PLAIT_ACCUMULATE_SUM || rule == PLAIT_ACCUMULATE_MEAN; }

std::vector<double> numbers(const std::string& bytes) {
  std::vector<double> all(bytes.size() / sizeof(double));
  std::memcpy(all.data(), bytes.data(), all.size() * sizeof(double));
  return all;
}

// By accumulator, what single records add to its elements, without signs.
Result<std::vector<std::vector<double>>> magnitudes(const TaskBench& bench, const RecordContents& records) {
  const auto& accumulators = bench.form.accumulators;
  std::vector<std::vector<double>> all(accumulators.size());
  CallContext context;
  for (size_t n = 0; n < records.size(); ++n) {
    const MapRecorder out(bench.form);
    RecordCall call(bench.parts, records, n, n + 1);
    PLAIT_TRY(call.map(bench, context, out));
    const Pairs pairs = out.pairs();
    for (size_t i = 0; i < accumulators.size(); ++i) {
      if (!is_sum(accumulators[i].rule)) continue;
      const auto added = numbers(pairs[i].value);
      all[i].resize(added.size());
      for (size_t e = 0; e < added.size(); ++e) all[i][e] += std::abs(added[e]);
    }
  }
  return all;
}

// A split is cut alike in every run, so that a sum may be built call by call: in f32 within a call, and in
// any order. An addition in f32 errs by 2^-24 of its result at most, and no partial sum is larger than the
// sum of magnitudes: 1e-5 of that is room for 167 additions, for the kit's few records many times over.
constexpr double kCut_tolerance = 1e-5;

std::string sum_difference(const std::string& name, const std::vector<double>& wanted,
                           const std::vector<double>& others, const std::vector<double>& magnitude) {
  for (size_t e = 0; e < wanted.size(); ++e) {
    if (std::memcmp(&wanted[e], &others[e], sizeof(double)) == 0) continue;
    if (std::abs(wanted[e] - others[e]) <= kCut_tolerance * magnitude[e]) continue;
    return fmt::format(
        "element {} of accumulator \"{}\" is {}, but {}, wanted within {} of what single records add, {}", e,
        name, wanted[e], others[e], kCut_tolerance, magnitude[e]);
  }
  return "";
}

}  // namespace

Status map_into(const TaskBench& bench, const RecordContents& records, size_t each, const MapRecorder& out,
                Poison beyond) {
  CallContext context;
  for (size_t begin = 0; begin < records.size(); begin += each) {
    RecordCall call(bench.parts, records, begin, std::min(begin + each, records.size()), beyond);
    PLAIT_TRY(call.map(bench, context, out));
  }
  return {};
}

Result<Pairs> map_all(const TaskBench& bench, const RecordContents& records, size_t each, Poison beyond) {
  const MapRecorder out(bench.form);
  PLAIT_TRY(map_into(bench, records, each, out, beyond));
  return out.pairs();
}

Result<TaskBench> another_instance(Trial& trial, const TaskBench& bench) {
  return create_task_bench(trial, {bench.config, {}, 0, bench.bound}, bench.parts);
}

Result<std::string> difference_by_cut(const TaskBench& bench, const RecordContents& records,
                                      const Pairs& wanted, const Pairs& pairs) {
  if (bench.form.is_keyed()) return difference(wanted, pairs);
  PLAIT_ASSIGN(const auto magnitude, magnitudes(bench, records));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto& [rule, spec] = bench.form.accumulators[i];
    std::string what;
    if (is_sum(rule))
      what = sum_difference(spec.name, numbers(wanted[i].value), numbers(pairs[i].value), magnitude[i]);
    else
      what = difference({wanted[i]}, {pairs[i]});
    if (!what.empty()) return what;
  }
  return std::string();
}

Result<Passes> run_passes(Trial& trial, const TaskBench& bench, const RecordContents& records,
                          const PassOptions& options) {
  Passes passes;
  MapRecorder out(bench.form, UINT64_MAX, options.beyond);
  std::vector<std::string> states = zero_states(bench.form);
  while (passes.ends.size() < options.most) {
    const auto pass = static_cast<int64_t>(passes.ends.size());
    trial.doing(fmt::format("pass {}, {}", pass, bench.text()));
    std::optional<TaskBench> mapping, finishing;
    if (options.fresh) {
      PLAIT_ASSIGN(mapping, another_instance(trial, bench));
      PLAIT_ASSIGN(finishing, another_instance(trial, bench));
    }
    out.arrays()->begin(pass, states);
    PLAIT_TRY(map_into(mapping ? *mapping : bench, records, std::max<size_t>(1, records.size()), out,
                       options.beyond));
    passes.fault = out.misdeed().empty() ? out.arrays()->fault() : out.misdeed();
    if (!passes.fault.empty()) passes.fault = fmt::format("in pass {}, {}", pass, passes.fault);
    if (!passes.fault.empty()) return passes;
    CallContext context;
    auto end = finish_pass((finishing ? *finishing : bench).instance, context, *out.arrays(), pass, states,
                           static_cast<int64_t>(records.size()), options.beyond);
    if (!end && is_refusal(end.status()) && !is_silent(end.status())) passes.refusal = end.status();
    if (!passes.refusal) return passes;
    PLAIT_TRY(end.status());
    states = end->states;
    passes.ends.push_back(std::move(*end));
    const PassEnd& last = passes.ends.back();
    if (!last.misdeed.empty()) passes.fault = fmt::format("in pass {}, {}", pass, last.misdeed);
    if (!last.another || !passes.fault.empty()) return passes;
  }
  return passes;
}

}  // namespace plait::inline verify
