// Laws of tasks.
#include <fmt/format.h>

#include "verify/benches/task_trial.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kRecords = 11, kConfigs = 8;

Status same(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Pairs wanted, map_all(bench, records, kRecords));
    PLAIT_ASSIGN(const Pairs again, map_all(bench, records, kRecords));
    if (const auto what = difference(wanted, again); !what.empty())
      return broken("the same records are mapped again, and " + what);
    PLAIT_ASSIGN(const TaskBench other,
                 make_task_bench(trial, {bench.config, {}, 0, bench.bound}, bench.parts));
    PLAIT_ASSIGN(const Pairs others, map_all(other, records, kRecords));
    const auto what = difference(wanted, others);
    return what.empty() ? Status() : broken("another instance maps the same records, and " + what);
  });
}

Status cut(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Pairs wanted, map_all(bench, records, kRecords));
    for (const size_t each : {1, 3}) {
      PLAIT_ASSIGN(const Pairs pairs, map_all(bench, records, each));
      PLAIT_ASSIGN(const std::string what, difference_by_cut(bench, records, wanted, pairs));
      if (!what.empty())
        return broken(
            fmt::format("{} records in one call and in calls of {} differ: {}", kRecords, each, what));
    }
    return {};
  });
}

// Whatever came before: many records, and calls that failed because their emitter did.
Status history(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Pairs wanted, map_all(bench, records, kRecords));
    for (int i = 0; i < 5; ++i) {
      PLAIT_TRY(map_all(bench, draw_records(bench, trial.dice(), 40), 40).status());
      CallContext context;
      MapRecorder full(bench.form, 0);
      RecordCall call(bench.parts, records, 0, kRecords);
      static_cast<void>(call.map(bench, context, full));
    }
    PLAIT_ASSIGN(const Pairs again, map_all(bench, records, kRecords));
    const auto what = difference(wanted, again);
    return what.empty() ? Status() : broken("calls before change what is emitted: " + what);
  });
}

Status concurrent(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    constexpr size_t kThreads = 4;
    std::vector<RecordContents> records;
    std::vector<Pairs> wanted;
    for (size_t n = 0; n < kThreads; ++n) {
      records.push_back(draw_records(bench, trial.dice(), kRecords));
      PLAIT_ASSIGN(Pairs pairs, map_all(bench, records.back(), kRecords));
      wanted.push_back(std::move(pairs));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      RecordCall call(bench.parts, records[n], 0, kRecords);
      CallContext context;
      MapRecorder out(bench.form);
      for (int i = 0; i < 300; ++i) {
        out.clear();
        if (const Status status = call.map(bench, context, out); !status) return status.message();
        if (const auto what = difference(wanted[n], out.pairs()); !what.empty()) return what;
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads map by one instance at once");
  });
}

Status declared(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), 60);
    const MapRecorder out(bench.form);
    PLAIT_TRY(map_into(bench, records, records.size(), out));
    if (out.arrays()) {
      const auto fault = out.arrays()->fault();
      return fault.empty() ? Status() : broken(fault + ", wanted a number");
    }
    const Pairs pairs = out.pairs();
    for (const KeyedPair& pair : pairs) {
      if (pair.key.size() > PLAIT_MAX_KEY)
        return broken(
            fmt::format("emits a key of {} bytes, wanted at most {}", pair.key.size(), PLAIT_MAX_KEY));
      if (const auto fault = value_fault(bench.form.value, pair.value); !fault.empty())
        return broken(fmt::format("says that values are {}, and emits one of {}",
                                  value_kind_name(bench.form.value), fault));
    }
    if (pairs.empty()) trial.remark("nothing is emitted for the records that the kit draws");
    return {};
  });
}

Status reads_only(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    Pairs made[2];
    for (const Poison beyond : {Poison::kNan, Poison::kNumber}) {
      const MapRecorder out(bench.form, UINT64_MAX, beyond);
      RecordCall call(bench.parts, records, 0, kRecords, beyond);
      CallContext context;
      PLAIT_TRY(call.map(bench, context, out));
      made[beyond == Poison::kNumber] = out.pairs();
      if (const auto text = call.misdeed(); !text.empty()) return broken(text);
    }
    const auto what = difference(made[0], made[1]);
    return what.empty() ? Status()
                        : broken("what lies past a record's length, or around the records, is read: " + what);
  });
}

// Parts like those that the task takes, but for one fault each.
std::vector<std::vector<PartSpec>> odd_parts(const std::vector<PartSpec>& parts) {
  std::vector<std::vector<PartSpec>> all;
  for (size_t i = 0; i < parts.size(); ++i) {
    for (const uint32_t dtype : {PLAIT_F32, PLAIT_F64, PLAIT_U8, PLAIT_I32, PLAIT_I64}) {
      all.push_back(parts);
      all.back()[i].dtype = dtype;
    }
    all.push_back(parts);
    all.back()[i].shape = {2, 3, 2, 2}, all.back()[i].variable_axis = -1;
    all.push_back(parts);
    all.back()[i].shape.clear(), all.back()[i].variable_axis = -1;
    all.push_back(parts);
    all.back()[i].name = "something_else";
    all.push_back(parts);
    all.back().erase(all.back().begin() + static_cast<ptrdiff_t>(i));
  }
  return all;
}

Status refuses(Trial& trial) {
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const bool maps_zeros = static_cast<bool>(map_all(bench, zero_records(bench.parts, 2), 2));
    for (const auto& parts : odd_parts(bench.parts)) {
      if (parts.empty()) continue;
      const auto made = create_task_bench(trial, {bench.config, {}, 0, bench.bound}, parts);
      const TaskBench named{bench.config, parts, {}, 0, {}};
      if (!made && (!is_refusal(made.status()) || is_silent(made.status())))
        return made.status().at("refusing parts" + named.text());
      if (!made || !maps_zeros) continue;
      const Status status = map_all(*made, zero_records(parts, 2), 2).status();
      if (!status)
        return broken(fmt::format("infer takes the parts {}, of which map then refuses every record: {}",
                                  named.text(), status.message()));
    }
    return {};
  });
}

Status passes_failure(Trial& trial) {
  constexpr uint64_t kFew = 16;
  return for_each_task(trial, kConfigs, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), 40);
    const MapRecorder whole(bench.form);
    PLAIT_TRY(map_into(bench, records, records.size(), whole));
    const uint64_t all = whole.taken();
    const char* what = bench.form.is_keyed() ? "pair" : "call of append";
    for (const uint64_t taken : {uint64_t{0}, uint64_t{1}, all / 2, all - 1}) {
      if (taken >= all) continue;
      const MapRecorder out(bench.form, taken);
      CallContext context;
      RecordCall call(bench.parts, records, 0, records.size());
      if (call.map(bench, context, out))
        return broken(fmt::format("succeeds though its {} {} was refused", what, taken));
      if (out.refused() > kFew)
        return broken(fmt::format("emits {} more {}s after one that was refused", out.refused() - 1, what));
    }
    return {};
  });
}

}  // namespace

std::vector<Law> task_laws() {
  constexpr const char* kKind = "task";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "same", kMust, "the records decide what is emitted, or added up, whoever maps them", same},
      {kKind, "cut", kMust, "how records are cut into calls changes no pair, and of sums the last bits", cut},
      {kKind, "history", kMust, "calls before change no pair and no accumulator", history},
      {kKind, "concurrent", kMust, "one instance serves several threads at once", concurrent},
      {kKind, "declared", kMust, "keys and values are as was declared, sums are numbers", declared},
      {kKind, "reads_only", kMust, "reads the records up to their lengths, and writes none of them",
       reads_only},
      {kKind, "refuses", kMust, "parts that are not for it are refused by infer, in words", refuses},
      {kKind, "passes_failure", kMust, "fails, and soon, when a pair or a row is refused", passes_failure},
  };
}

}  // namespace plait::inline verify
