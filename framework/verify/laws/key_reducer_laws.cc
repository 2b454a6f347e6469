// Laws of reducers of keys.
#include <fmt/format.h>

#include <algorithm>

#include "verify/benches/keyed_bench.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

using Values = std::vector<std::string>;
const std::string kKey = std::string("a key\0of bytes", 14);

template <class Check>
Status for_each_key_reducer(Trial& trial, Check check) {
  if (!reduces_keys(trial.ops<plait_reducer_ops>())) return skipped("reduces the shards' deltas, not keys");
  PLAIT_ASSIGN(const auto benches, key_reducer_benches(trial, 6));
  for (const KeyReducerBench& bench : benches) {
    for (uint64_t round = 0; round < kValueRounds; ++round) {
      trial.doing(fmt::format("reduce, values of round {}, {}", round, bench.text()));
      PLAIT_TRY(Status(check(bench, round)).at(bench.text()));
    }
  }
  return {};
}

Result<Pairs> reduce(const KeyReducerBench& bench, const Values& values, Poison beyond = Poison::kNan,
                     const std::string& key = kKey) {
  CallContext context;
  ValueList list(values, beyond);
  PairRecorder out(UINT64_MAX, bench.out);
  PLAIT_TRY(bench.reduce(context, key, list, out));
  return out.pairs;
}

// Values that it refuses in words are none of a law's business.
bool refuses(const Result<Pairs>& pairs) {
  return !pairs && is_refusal(pairs.status()) && !is_silent(pairs.status());
}

Status same(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    const Values values = draw_values(trial.dice(), bench.in, 9, round);
    const auto wanted = reduce(bench, values);
    if (refuses(wanted)) return {};
    PLAIT_TRY(wanted.status());
    static_cast<void>(reduce(bench, draw_values(trial.dice(), bench.in, 30, round)));
    PLAIT_ASSIGN(const Pairs again, reduce(bench, values));
    if (const auto what = difference(*wanted, again); !what.empty())
      return broken("the same values are reduced again, and " + what);
    CallContext context;
    KeyReducerBench other = bench;
    PLAIT_ASSIGN(Instance made, create_instance(trial.registry(), trial.entry(), *bench.config,
                                                trial.name().device_id, context));
    other.instance = std::make_shared<Instance>(std::move(made));
    PLAIT_ASSIGN(const Pairs others, reduce(other, values));
    const auto what = difference(*wanted, others);
    return what.empty() ? Status() : broken("another instance reduces the same values, and " + what);
  });
}

Status borrows(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    const Values values = draw_values(trial.dice(), bench.in, 9, round);
    const auto some = reduce(bench, values, Poison::kNan), others = reduce(bench, values, Poison::kNumber);
    if (refuses(some)) return {};
    PLAIT_TRY(some.status());
    PLAIT_TRY(others.status());
    const auto what = difference(*some, *others);
    return what.empty()
               ? Status()
               : broken(
                     "a value is read where it was lent, when the next has been asked for, or beyond "
                     "its end: " +
                     what);
  });
}

// More than arrays that seem large enough, 8 and 16 bits hold.
Status consumes(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    for (const size_t count : {1, 2, 70, 300, 70'000}) {
      if (round > 0 && count > 300) continue;
      const auto pairs = reduce(bench, draw_values(trial.dice(), bench.in, count, round));
      if (refuses(pairs))
        trial.remark("refuses some of the values: " + pairs.status().message());
      else
        PLAIT_TRY(pairs.status().at(fmt::format("{} values", count)));
    }
    return {};
  });
}

Status declared(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    for (const std::string& key : {kKey, std::string(), std::string(PLAIT_MAX_KEY, 'k')}) {
      const auto pairs = reduce(bench, draw_values(trial.dice(), bench.in, 9, round), Poison::kNan, key);
      if (refuses(pairs)) continue;
      PLAIT_TRY(pairs.status());
      for (const KeyedPair& pair : *pairs) {
        if (pair.key != key) return broken("emits under another key than it is given");
        if (const auto fault = value_fault(bench.out, pair.value); !fault.empty())
          return broken(
              fmt::format("says that values are {}, and emits one of {}", value_kind_name(bench.out), fault));
      }
    }
    return {};
  });
}

Status passes_failure(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    const Values values = draw_values(trial.dice(), bench.in, 9, round);
    const auto pairs = reduce(bench, values);
    if (refuses(pairs) || (pairs && pairs->empty())) return {};
    PLAIT_TRY(pairs.status());
    CallContext context;
    ValueList list(values, Poison::kNan);
    PairRecorder out(pairs->size() - 1, bench.out);
    return bench.reduce(context, kKey, list, out)
               ? broken("succeeds though a value that it emits was refused")
               : Status();
  });
}

Status concurrent(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    constexpr size_t kThreads = 4;
    if (round > 0) return {};
    std::vector<Values> values;
    std::vector<Pairs> wanted;
    for (size_t n = 0; n < kThreads; ++n) {
      values.push_back(draw_values(trial.dice(), bench.in, 6 + n, round));
      auto pairs = reduce(bench, values.back());
      if (refuses(pairs)) return {};
      PLAIT_TRY(pairs.status());
      wanted.push_back(std::move(*pairs));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 300; ++i) {
        const auto pairs = reduce(bench, values[n]);
        if (!pairs) return pairs.status().message();
        if (const auto what = difference(wanted[n], *pairs); !what.empty()) return what;
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads reduce by one instance at once");
  });
}

// The order is the records', so that it may matter; whoever chooses a combiner wants to know.
Status order(Trial& trial) {
  return for_each_key_reducer(trial, [&](const KeyReducerBench& bench, uint64_t round) -> Status {
    Values values = draw_values(trial.dice(), bench.in, 30, round);
    const auto some = reduce(bench, values);
    std::reverse(values.begin(), values.end());
    const auto others = reduce(bench, values);
    if (refuses(some) || refuses(others)) return {};
    PLAIT_TRY(some.status());
    PLAIT_TRY(others.status());
    if (!difference(*some, *others).empty())
      trial.remark(fmt::format("the order of the values matters: {}", bench.text()));
    return {};
  });
}

}  // namespace

std::vector<Law> key_reducer_laws() {
  constexpr const char* kKind = "reducer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "keys_same", kMust, "of keys: the values decide, whoever reduces them", same},
      {kKind, "keys_borrow", kMust, "of keys: a value is read until the next is asked for", borrows},
      {kKind, "keys_consume", kMust, "of keys: takes one value, and more than 2^16", consumes},
      {kKind, "keys_declared", kMust, "of keys: emits what infer says, under the key", declared},
      {kKind, "keys_pass_failure", kMust, "of keys: fails when a value that it emits is refused",
       passes_failure},
      {kKind, "keys_concurrent", kMust, "of keys: one instance serves several threads at once", concurrent},
      {kKind, "keys_order", Severity::kShould, "of keys: whether the order of the values matters is told",
       order},
  };
}

}  // namespace plait::inline verify
