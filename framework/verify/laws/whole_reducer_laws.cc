// Laws of reducers that take whole vectors of all shards.
#include <fmt/format.h>

#include <set>

#include "base/shown.h"
#include "verify/benches/whole_bench.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kShards[] = {1, 3, 5, 9, 40};

// Numbers of shards that a configuration refuses, in words, are passed over. `check` gets a bench and a
// number that it takes.
template <class Check>
Status for_each_whole(Trial& trial, Check check) {
  if (!takes_whole(trial.ops<plait_reducer_ops>())) return skipped("does not take whole vectors");
  PLAIT_ASSIGN(const auto benches, whole_benches(trial, 8));
  int tried = 0;
  std::string refusal;
  for (const auto& bench : benches)
    for (const size_t shards : kShards) {
      trial.doing(fmt::format("combine_whole of {} shards, {}", shards, bench->text()));
      WholeRun first(*bench, shards, trial.dice());
      const Status taken = first.combine();
      if (is_silent(taken)) return taken.at(bench->text());
      if (!taken && !is_refusal(taken)) return taken.at(bench->text());
      if (!taken) {
        refusal = taken.message();
        continue;
      }
      PLAIT_TRY(check(*bench, shards).at(fmt::format("{} shards, {}", shards, bench->text())));
      ++tried;
    }
  if (tried == 0) return skipped("no number of shards is taken: " + refusal);
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

Status memory(Trial& trial) {
  return for_each_whole(trial, [&](const WholeBench& bench, size_t shards) -> Status {
    Dice dice = trial.dice(), again = dice;
    WholeRun first(bench, shards, dice), second(bench, shards, again, Poison::kNumber);
    PLAIT_TRY(first.combine());
    PLAIT_TRY(second.combine());
    if (const std::string text = first.misdeed(); !text.empty())
      return broken("writes outside its memory: " + text);
    return first.same(second)
               ? Status()
               : broken("the result depends on what its memory held before, or on calls before");
  });
}

// A run that is resumed has a new instance, and the states of the last round.
Status states(Trial& trial) {
  return for_each_whole(trial, [&](const WholeBench& bench, size_t shards) -> Status {
    std::set<std::string> names;
    for (const SlotInfo& state : bench.states()) {
      PLAIT_TRY(check_name(state.name, "state"));
      if (!names.insert(state.name).second) return broken("has two states \"" + state.name + "\"");
    }
    PLAIT_ASSIGN(const auto resumed, WholeBench::create(trial, bench.instance().config()));
    Dice dice = trial.dice(), again = dice;
    WholeRun through(bench, shards, dice), later(*resumed, shards, again);
    for (int i = 0; i < 3; ++i) PLAIT_TRY(through.combine());
    for (size_t s = 0; s < through.states.size(); ++s)
      later.states[s].write(through.states[s].data(), through.states[s].bytes());
    through.round = later.round = 3;
    PLAIT_TRY(through.combine());
    PLAIT_TRY(later.combine());
    return through.same(later) ? Status()
                               : broken(
                                     "a new instance that is given the states of three rounds goes on "
                                     "otherwise than the one that had them");
  });
}

// Where one shard of three or more has failed; a reducer may say that this is too many.
Status failed(Trial& trial) {
  return for_each_whole(trial, [&](const WholeBench& bench, size_t shards) -> Status {
    if (shards < 3) return {};
    WholeRun run(bench, shards, trial.dice());
    run.fail(shards / 2);
    const Status done = run.combine();
    if (!done && !is_silent(done) && (is_refusal(done) || done.code() == Code::kNumeric)) return {};
    PLAIT_TRY(done);
    const std::string text = run.not_finite();
    return text.empty() ? Status() : broken("with shard " + std::to_string(shards / 2) + " failed, " + text);
  });
}

Status none(Trial& trial) {
  return for_each_whole(trial, [&](const WholeBench& bench, size_t shards) -> Status {
    WholeRun run(bench, shards, trial.dice());
    return run.combine_none().at("vectors of no elements, of a number of shards that it takes");
  });
}

}  // namespace

std::vector<Law> whole_reducer_laws() {
  constexpr Severity kMust = Severity::kMust;
  return {
      {"reducer", "whole_memory", kMust, "one of whole vectors writes all of its result and its states alone",
       memory},
      {"reducer", "whole_states", kMust, "what it keeps between rounds are its states, of names of their own",
       states},
      {"reducer", "whole_failed", kMust, "a shard that failed is left out, or refused in words", failed},
      {"reducer", "whole_none", kMust, "vectors of no elements are combined: how a job's shards are checked",
       none},
  };
}

}  // namespace plait::inline verify
