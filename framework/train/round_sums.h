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
#include "train/variance_sum.h"

namespace plait::inline train {

// How buffers and slots are combined follows from the rule that each declares: means are means of the values,
// kMax their largest, variances those of all shards' samples together; `reset` and `none` are not reduced,
// and every round begins with the value they had at the start.
class RoundSums {
 public:
  // `averaged`: the slots of an optimizer that runs inside the tasks, empty where none is averaged.
  static Result<std::unique_ptr<RoundSums>> create(const Plan& plan, const std::vector<SlotInfo>& averaged,
                                                   int64_t total_weight);

  // What create allocates for the sums. Units: bytes
  static uint64_t bytes(const Plan& plan, const std::vector<SlotInfo>& averaged, int64_t total_weight);

  void begin();
  // Adds one shard's result. Shapes: values [arena]; slots: one [trained] array per averaged slot.
  // Fails with: kNumeric, naming the parameter. Threads: [any]
  Status accumulate(std::span<const float> values, std::span<const float* const> slots, int32_t weight);
  // Fails with: what ExactSum::reduce reports.
  Status reduce(Transport& transport);

  // After reduce. mean: trained parameters and reduced buffers; the rest of `out` is left alone.
  void mean(std::span<float> out) const;
  void mean_slots(std::vector<HostArena>& slots) const;

 private:
  RoundSums() = default;
  uint64_t trained_ = 0;
  std::unique_ptr<ExactSum> values_;
  std::unique_ptr<VarianceSum> variances_;        // null: there are none
  std::vector<std::unique_ptr<ExactSum>> slots_;  // null: not averaged
  std::vector<ExactSum*> all_;                    // but variances_, which need the means first
};

// Parts of the arena that values of a round are reduced in, one per parameter and buffer. A variance is
// listed as a mean.
std::vector<Segment> value_segments(const Plan& plan);

// Whether a declared rule gives a value that comes out of a round's shards.
bool is_reduced(uint32_t declared);

}  // namespace plait::inline train
