// Laws of tasks of accumulators: the arrays that map fills, and what finish makes of them in one pass or in
// several.
#include <fmt/format.h>

#include "verify/benches/task_trial.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kRecords = 11;
constexpr size_t kMost_passes = 1000;  // what a stage grants where its file says nothing

// Those of accumulators. Fails with: skipped, when there is none.
template <class Check>
Status for_each_filler(Trial& trial, size_t count, Check check) {
  size_t found = 0;
  const Status all = for_each_task(trial, count, [&](const TaskBench& bench) -> Status {
    if (bench.form.is_keyed()) return {};
    ++found;
    return check(bench);
  });
  return !all || found > 0 ? all : skipped("the task emits pairs");
}

// And those with a finish.
template <class Check>
Status for_each_finisher(Trial& trial, size_t count, Check check) {
  size_t found = 0;
  const Status all = for_each_filler(trial, count, [&](const TaskBench& bench) -> Status {
    if (!has_finish(bench.instance)) return {};
    ++found;
    return check(bench);
  });
  return !all || found > 0 ? all : skipped("the task has no finish");
}

// Two runs of the passes that should not differ.
std::string difference(const TaskForm& form, const Passes& some, const Passes& others) {
  for (size_t i = 0; i < std::min(some.ends.size(), others.ends.size()); ++i)
    if (const auto what = plait::difference(form, some.ends[i], others.ends[i]); !what.empty())
      return fmt::format("{} after pass {} differs", what, i);
  if (some.ends.size() == others.ends.size()) return "";
  return fmt::format("finish refuses one of them: {}{}", some.refusal.message(), others.refusal.message());
}

// Memory around arrays, and what is given to be read; twice, with different memory around it.
Status memory(Trial& trial) {
  return for_each_filler(trial, 8, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    Pairs made[2];
    Passes passes[2];
    for (const Poison beyond : {Poison::kNan, Poison::kNumber}) {
      const size_t run = beyond == Poison::kNumber;
      const MapRecorder out(bench.form, UINT64_MAX, beyond);
      PLAIT_TRY(map_into(bench, records, kRecords, out));
      if (const auto text = out.misdeed(); !text.empty()) return broken(text);
      made[run] = out.pairs();
      if (!has_finish(bench.instance)) continue;
      PLAIT_ASSIGN(passes[run], run_passes(trial, bench, records, {.beyond = beyond}));
      if (!passes[run].fault.empty()) return broken(passes[run].fault);
    }
    if (const auto what = plait::difference(made[0], made[1]); !what.empty())
      return broken("what lies around the arrays is read by map: " + what);
    const auto what = difference(bench.form, passes[0], passes[1]);
    return what.empty() ? Status() : broken("what lies around the arrays is read: " + what);
  });
}

// The accumulators of one pass decide, whatever the instance saw before and whoever mapped.
Status finish(Trial& trial) {
  size_t finished = 0;
  const Status all = for_each_filler(trial, 8, [&](const TaskBench& bench) -> Status {
    const TaskForm& form = bench.form;
    if (!has_finish(bench.instance)) {
      const bool wants_one = !form.declared_outputs.empty() || !form.states.empty();
      return wants_one ? broken("infer says outputs or states, and there is no finish to write them")
                       : Status();
    }
    const auto records = draw_records(bench, trial.dice(), kRecords);
    const MapRecorder out(form);
    PLAIT_TRY(map_into(bench, records, kRecords, out));
    if (const auto fault = out.arrays()->fault(); !fault.empty()) return broken(fault);
    PLAIT_ASSIGN(const TaskBench other, another_instance(trial, bench));
    std::vector<PassEnd> ends;
    for (const TaskBench* by : {&bench, &bench, &other}) {
      CallContext context;
      auto end = finish_pass(by->instance, context, *out.arrays(), 0, zero_states(form), kRecords);
      if (!end && ends.empty() && is_refusal(end.status()) && !is_silent(end.status())) return {};
      PLAIT_TRY(end.status());
      ends.push_back(std::move(*end));
    }
    ++finished;
    if (const auto what = plait::difference(form, ends[0], ends[1]); !what.empty())
      return broken("the same accumulators are finished again, and differently: " + what);
    const auto what = plait::difference(form, ends[0], ends[2]);
    return what.empty() ? Status()
                        : broken("another instance finishes the same accumulators differently: " + what);
  });
  if (!all || finished > 0) return all;
  return skipped("no pass of the kit's records is finished");
}

Status iterate(Trial& trial) {
  return for_each_finisher(trial, 8, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Passes wanted, run_passes(trial, bench, records, {}));
    if (!wanted.fault.empty()) return broken(wanted.fault);
    PLAIT_ASSIGN(const Passes again, run_passes(trial, bench, records, {}));
    if (const auto what = difference(bench.form, wanted, again); !what.empty())
      return broken("the same passes are run again, and " + what);
    PLAIT_ASSIGN(const Passes fresh, run_passes(trial, bench, records, {.fresh = true}));
    const auto what = difference(bench.form, wanted, fresh);
    return what.empty() ? Status() : broken("other instances run the same passes, and " + what);
  });
}

// Of the first configuration alone: others may say themselves how many passes they want.
Status ends(Trial& trial) {
  return for_each_finisher(trial, 1, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Passes passes, run_passes(trial, bench, records, {.most = kMost_passes}));
    if (!passes.fault.empty()) return broken(passes.fault);
    if (passes.ends.size() < kMost_passes || !passes.ends.back().another) return {};
    return broken(
        fmt::format("finish still asks for another pass after {} over {} records", kMost_passes, kRecords));
  });
}

// As where every record was bad, and where there is one.
Status few(Trial& trial) {
  return for_each_finisher(trial, 8, [&](const TaskBench& bench) -> Status {
    for (const size_t count : {0, 1}) {
      const auto records = draw_records(bench, trial.dice(), count);
      PLAIT_ASSIGN(const Passes passes, run_passes(trial, bench, records, {}));
      if (!passes.fault.empty()) return broken(fmt::format("of {} records, {}", count, passes.fault));
    }
    return {};
  });
}

}  // namespace

std::vector<Law> accumulator_laws() {
  constexpr const char* kKind = "task";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "arrays_memory", kMust,
       "of accumulators: map writes arrays, finish states and outputs, and nothing around them", memory},
      {kKind, "arrays_finish", kMust, "of accumulators: they decide what finish makes, whoever mapped",
       finish},
      {kKind, "arrays_iterate", kMust, "of accumulators: the same passes give the same bits", iterate},
      {kKind, "arrays_end", kMust, "of accumulators: a few records take no more than 1000 passes", ends},
      {kKind, "arrays_few", kMust, "of accumulators: finish takes or refuses those of no record, and of one",
       few},
  };
}

}  // namespace plait::inline verify
