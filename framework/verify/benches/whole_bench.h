// Reducers that take whole vectors, at work: an instance, its states, and the results of a round.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "graph/optimizer.h"
#include "registry/instance.h"
#include "verify/engine/guarded.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

bool takes_whole(const plait_reducer_ops& ops);

// An instance and what it keeps between rounds.
class WholeBench {
 public:
  // Fails with: what create and describe report.
  static Result<std::unique_ptr<WholeBench>> create(Trial& trial, const plait_config& config);
  const std::vector<SlotInfo>& states() const { return states_; }
  const Instance& instance() const { return instance_; }
  std::string text() const;

 private:
  Instance instance_;
  std::vector<SlotInfo> states_;
};

// Instances of configurations that create accepts. Fails with: skipped, when there is none.
Result<std::vector<std::unique_ptr<WholeBench>>> whole_benches(Trial& trial, size_t count);

// The vectors of one job: two parameters, buffers of every rule, a slot; gaps between them, as padding leaves
// them. Lives where it was made.
class WholeRun {
 public:
  // `shards` drawn results, states at their initial values.
  WholeRun(const WholeBench& bench, size_t shards, Dice& dice, Poison poison = Poison::kNan);
  WholeRun(const WholeRun&) = delete;
  WholeRun& operator=(const WholeRun&) = delete;

  Status combine();
  // As the host gives a shard that failed.
  void fail(size_t shard);
  // Vectors of no elements.
  Status combine_none();
  // Same bits in all that tensors have of what was combined, and in the states.
  bool same(const WholeRun& other) const;
  // "" or the tensor whose result is not finite.
  std::string not_finite() const;
  // "" or what was written besides.
  std::string misdeed() const;

  std::vector<Guarded> deltas, states;
  Guarded combined;
  int64_t round = 0;
  CallContext context;

 private:
  const WholeBench& bench_;
  std::vector<plait_shard_result> results_;
  std::vector<std::vector<float>> given_;  // the deltas as they were
};

}  // namespace plait::inline verify
