// Laws of tasks.
#include <fmt/format.h>

#include "verify/keyed_bench.h"
#include "verify/law.h"

namespace plait {
namespace {

constexpr size_t kRecords = 11;

template <class Check>
Status for_each_task(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto benches, task_benches(trial, 8));
  for (const TaskBench& bench : benches) {
    trial.doing("map, " + bench.text());
    PLAIT_TRY(Status(check(bench)).at(bench.text()));
  }
  return {};
}

// All pairs of calls with `each` records.
Result<Pairs> map_all(const TaskBench& bench, const RecordContents& records, size_t each,
                      Poison beyond = Poison::kNan) {
  PairRecorder out;
  CallContext context;
  for (size_t begin = 0; begin < records.size(); begin += each) {
    RecordCall call(bench.parts, records, begin, std::min(begin + each, records.size()), beyond);
    PLAIT_TRY(call.map(bench, context, out));
  }
  return out.pairs;
}

Status same(Trial& trial) {
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
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
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Pairs wanted, map_all(bench, records, kRecords));
    for (const size_t each : {1, 3}) {
      PLAIT_ASSIGN(const Pairs pairs, map_all(bench, records, each));
      if (const auto what = difference(wanted, pairs); !what.empty())
        return broken(
            fmt::format("{} records in one call and in calls of {} differ: {}", kRecords, each, what));
    }
    return {};
  });
}

// Whatever came before: many records, and calls that failed because their emitter did.
Status history(Trial& trial) {
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PLAIT_ASSIGN(const Pairs wanted, map_all(bench, records, kRecords));
    for (int i = 0; i < 5; ++i) {
      PLAIT_TRY(map_all(bench, draw_records(bench, trial.dice(), 40), 40).status());
      CallContext context;
      PairRecorder full(0);
      RecordCall call(bench.parts, records, 0, kRecords);
      static_cast<void>(call.map(bench, context, full));
    }
    PLAIT_ASSIGN(const Pairs again, map_all(bench, records, kRecords));
    const auto what = difference(wanted, again);
    return what.empty() ? Status() : broken("calls before change what is emitted: " + what);
  });
}

Status concurrent(Trial& trial) {
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
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
      PairRecorder out;
      for (int i = 0; i < 300; ++i) {
        out.clear();
        if (const Status status = call.map(bench, context, out); !status) return status.message();
        if (const auto what = difference(wanted[n], out.pairs); !what.empty()) return what;
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads map by one instance at once");
  });
}

Status declared(Trial& trial) {
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), 60);
    PLAIT_ASSIGN(const Pairs pairs, map_all(bench, records, records.size()));
    for (const KeyedPair& pair : pairs) {
      if (pair.key.size() > PLAIT_MAX_KEY)
        return broken(
            fmt::format("emits a key of {} bytes, wanted at most {}", pair.key.size(), PLAIT_MAX_KEY));
      if (const auto fault = value_fault(bench.form.value, pair.value); !fault.empty())
        return broken(
            fmt::format("says that values are {}, and emits one of {}", value_kind_name(bench.form.value), fault));
    }
    if (pairs.empty()) trial.remark("nothing is emitted for the records that the kit draws");
    return {};
  });
}

Status reads_only(Trial& trial) {
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), kRecords);
    PairRecorder out[2];
    for (const Poison beyond : {Poison::kNan, Poison::kNumber}) {
      RecordCall call(bench.parts, records, 0, kRecords, beyond);
      CallContext context;
      PLAIT_TRY(call.map(bench, context, out[beyond == Poison::kNumber]));
      if (const auto text = call.misdeed(); !text.empty()) return broken(text);
    }
    const auto what = difference(out[0].pairs, out[1].pairs);
    return what.empty()
               ? Status()
               : broken("what lies behind a record's length, or around the records, is read: " + what);
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
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
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
  return for_each_task(trial, [&](const TaskBench& bench) -> Status {
    const auto records = draw_records(bench, trial.dice(), 40);
    PLAIT_ASSIGN(const Pairs all, map_all(bench, records, records.size()));
    if (all.empty()) return {};
    for (const uint64_t taken : {size_t{0}, size_t{1}, all.size() / 2, all.size() - 1}) {
      if (taken >= all.size()) continue;
      PairRecorder out(taken);
      CallContext context;
      RecordCall call(bench.parts, records, 0, records.size());
      if (call.map(bench, context, out))
        return broken(fmt::format("succeeds though its pair {} was refused", taken));
      if (out.refused > kFew)
        return broken(fmt::format("emits {} more pairs behind one that was refused", out.refused - 1));
    }
    return {};
  });
}

}  // namespace

std::vector<Law> task_laws() {
  constexpr const char* kKind = "task";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "same", kMust, "the records decide what is emitted, whoever maps them", same},
      {kKind, "cut", kMust, "how records are cut into calls changes no pair", cut},
      {kKind, "history", kMust, "calls before change no pair", history},
      {kKind, "concurrent", kMust, "one instance serves several threads at once", concurrent},
      {kKind, "declared", kMust, "keys and values are as was declared", declared},
      {kKind, "reads_only", kMust, "reads the records up to their lengths, and writes none of them",
       reads_only},
      {kKind, "refuses", kMust, "parts that are not for it are refused by infer, in words", refuses},
      {kKind, "passes_failure", kMust, "fails, and soon, when a pair is refused", passes_failure},
  };
}

}  // namespace plait
