// The exact sums of one round: results of the shards (deltas or gradients, and buffers), and averaged
// optimizer slots.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "cluster/exact_sum.h"
#include "cluster/transport.h"
#include "graph/optimizer.h"
#include "plan/plan.h"
#include "train/host_arena.h"

namespace plait {

// How buffers and slots are combined follows from the rule that each declares: means are means of the values,
// kMax their largest; `reset` and `none` are not reduced, and every round begins with the value they had at
// the start.
class RoundSums {
 public:
  // `averaged`: the slots of an optimizer that runs inside the tasks, empty where none is averaged.
  static Result<std::unique_ptr<RoundSums>> create(const Plan& plan, const std::vector<SlotInfo>& averaged,
                                                   int64_t total_weight);

  void begin();
  // Adds one shard's result. Shapes: values [arena]; slots: one [trained] array per averaged slot.
  // Fails with: kNumeric, naming the parameter. Threads: [any]
  Status accumulate(std::span<const float> values, std::span<const float* const> slots, int32_t weight);
  Result<ExactSum::Outcome> reduce(Transport& transport);

  // After kDone. mean: trained parameters and reduced buffers; the rest of `out` is left alone.
  void mean(std::span<float> out) const { values_->mean(out); }
  void mean_slots(std::vector<HostArena>& slots) const;

  // State for the next round, one list; see ExactSum.
  void save(std::vector<int32_t>& exponents) const;
  Status restore(std::span<const int32_t> exponents);

 private:
  RoundSums() = default;
  uint64_t trained_ = 0;
  std::unique_ptr<ExactSum> values_;
  std::vector<std::unique_ptr<ExactSum>> slots_;  // null: not averaged
  std::vector<ExactSum*> all_;
};

// Parts of the arena that values of a round are reduced in, one per parameter and buffer.
std::vector<Segment> value_segments(const Plan& plan);

}  // namespace plait
