// What the laws of tasks have in common: benches one after the other, records mapped in calls of any size,
// passes up to the last.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "verify/benches/keyed_bench.h"
#include "verify/engine/law.h"

namespace plait::inline verify {

// Up to `count` configurations. `check` gets a bench; what it finds is told with the bench.
template <class Check>
Status for_each_task(Trial& trial, size_t count, Check check) {
  PLAIT_ASSIGN(const auto benches, task_benches(trial, count));
  for (const TaskBench& bench : benches) {
    trial.doing("map, " + bench.text());
    PLAIT_TRY(Status(check(bench)).at(bench.text()));
  }
  return {};
}

// Maps all of `records` in calls of `each`. Fails with: what map reports.
Status map_into(const TaskBench& bench, const RecordContents& records, size_t each, const MapRecorder& out,
                Poison beyond = Poison::kNan);
// What comes out of that.
Result<Pairs> map_all(const TaskBench& bench, const RecordContents& records, size_t each,
                      Poison beyond = Poison::kNan);

// The same configuration and parts again.
Result<TaskBench> another_instance(Trial& trial, const TaskBench& bench);

// "" or how `pairs`, made in calls of another size, differ from `wanted` by more than they may. Fails with:
// what map reports.
Result<std::string> difference_by_cut(const TaskBench& bench, const RecordContents& records,
                                      const Pairs& wanted, const Pairs& pairs);

// The ends of passes over `records`, of a task of accumulators with a finish.
struct Passes {
  std::vector<PassEnd> ends;
  Status refusal;     // of finish, in words, after those
  std::string fault;  // "" or what is wrong with the memory or the accumulators of a pass: "in pass 2, ..."
};
struct PassOptions {
  size_t most = 8;
  bool fresh = false;  // each pass has instances of its own for map and for finish
  Poison beyond = Poison::kNan;
};
// Until no other pass is wanted, or something is wrong. Fails with: what map reports; what finish reports but
// for a refusal in words.
Result<Passes> run_passes(Trial& trial, const TaskBench& bench, const RecordContents& records,
                          const PassOptions& options);

}  // namespace plait::inline verify
