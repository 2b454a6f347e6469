// The exact sums of one round: results of the shards (deltas or gradients, and buffers), and averaged
// optimizer slots.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "cluster/exact_sum.h"
#include "cluster/transport.h"
#include "graph/device.h"
#include "graph/optimizer.h"
#include "plan/plan.h"
#include "train/device_sum.h"
#include "train/host_arena.h"
#include "train/variance_sum.h"

namespace plait::inline train {

// What came out of a shard whose memory is a device's. No stream is writing it.
struct ResultThere {
  const float* trained = nullptr;  // [trained] weights or gradients
  const float* before =
      nullptr;                   // [trained] weights of the round's start, which are taken off; null: nothing
  const float* arena = nullptr;  // [arena] whose buffers are the shard's
  std::span<const float* const> slots;  // one [trained] array each
  // In host memory: [arena] whose buffers are the same, where RoundSums::wants_buffers; the slots that
  // RoundSums::wants_slot, [trained].
  std::span<const float> buffers;
  std::span<const HostArena> slots_here;
};

// How buffers and slots are combined follows from the rule that each declares: means are means of the values,
// kMax their largest, variances those of all shards' samples together; `reset` and `none` are not reduced,
// and every round begins with the value they had at the start.
class RoundSums {
 public:
  // `averaged`: the slots of an optimizer that runs inside the tasks, empty where none is averaged.
  // `device`: where results are; null: in host memory. One that brings the arithmetic (device_sum.h) adds
  // what is averaged in its own memory.
  static Result<std::unique_ptr<RoundSums>> create(const Plan& plan, const std::vector<SlotInfo>& averaged,
                                                   int64_t total_weight, Device* device = nullptr);
  // Of these buffers alone, numbers in Network::parameters. No slots, no device.
  static Result<std::unique_ptr<RoundSums>> of_buffers(const Plan& plan, const std::vector<size_t>& buffers,
                                                       int64_t total_weight);
  // Results are taken where they are, by the accumulate of ResultThere.
  bool is_there() const { return values_there_ != nullptr; }
  // Some buffers are combined by the host: their values are needed in host memory.
  bool wants_buffers() const { return others_ != nullptr || variances_ != nullptr; }
  bool wants_slot(size_t s) const { return s < slots_.size() && slots_[s] && !slots_there_[s]; }

  // What create allocates for the sums. Units: bytes
  static uint64_t bytes(const Plan& plan, const std::vector<SlotInfo>& averaged, int64_t total_weight);

  Status begin();
  // Adds one shard's result. Shapes: values [arena]; slots: one [trained] array per averaged slot.
  // Fails with: kNumeric, naming the parameter. Threads: [any]
  Status accumulate(std::span<const float> values, std::span<const float* const> slots, int32_t weight);
  // The same of one that is on the device, where is_there.
  Status accumulate(const ResultThere& result, int32_t weight);
  // Fails with: what ExactSum::reduce reports.
  Status reduce(Transport& transport);

  // After reduce. mean: trained parameters and reduced buffers; the rest of `out` is left alone.
  Status mean(std::span<float> out) const;
  Status mean_slots(std::vector<HostArena>& slots) const;

 private:
  RoundSums() = default;
  Status take_variances(std::vector<Segment>& segments, std::vector<VarianceSum::Pair> pairs,
                        int64_t total_weight);
  Status take_values(std::vector<Segment> segments, int64_t total_weight);
  Status put_there(Device& device, const std::vector<SlotInfo>& averaged, int64_t total_weight);
  Status give_all(bool values);
  Status mean_of_means(std::span<float> out) const;
  uint64_t trained_ = 0;
  std::unique_ptr<ExactSum> values_;
  std::unique_ptr<VarianceSum> variances_;        // null: there are none
  std::vector<std::unique_ptr<ExactSum>> slots_;  // null: not averaged
  std::vector<ExactSum*> all_;                    // but variances_, which need the means first
  // Where results are on a device: the sums of values_ and slots_ until the ranks meet, and what is not
  // averaged. Null: there are none.
  std::unique_ptr<DeviceSum> values_there_;
  std::vector<std::unique_ptr<DeviceSum>> slots_there_;
  std::unique_ptr<ExactSum> others_;
  bool is_alone_ = false;  // the device's sums are those of all ranks
};

// Parts of the arena that values of a round are reduced in, one per parameter and buffer. A variance is
// listed as a mean.
std::vector<Segment> value_segments(const Plan& plan);

// The same of a slot, by the rule that it declares.
std::vector<Segment> slot_segments(const Plan& plan, const SlotInfo& slot);

// Whether a declared rule gives a value that comes out of a round's shards.
bool is_reduced(uint32_t declared);

}  // namespace plait::inline train
