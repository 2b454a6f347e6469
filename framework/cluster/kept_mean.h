// The mean of an ExactSum, to the bit, where the values of all shards of the world are this rank's and stay
// where they are until the mean is taken: no sums are kept, and any part of the mean is made when it is
// wanted.
//
// Why the bits are the same: of an element both add what is left of each value when it is rounded to the
// lower of the two windows of the largest (exact_sum.h), in numbers that hold such sums exactly.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cluster/exact_sum.h"

namespace plait::inline cluster {

// One round: begin(), keep() for each shard, check_complete(), and then write() as often as wanted.
class KeptMean {
 public:
  static bool is_possible(int64_t total_weight) { return total_weight <= kLargestKeptTotal; }

  // Segments are all of kMean; total_weight is possible. Threads: [setup only]
  KeptMean(std::vector<Segment> segments, int64_t total_weight, size_t shards);

  void begin();
  // `values` are read by write(). Shapes: values [arena]
  // Fails with: kNumeric naming the segment and the element that is not finite.
  // Threads: [any], one for each shard
  Status keep(size_t shard, std::span<const float> values, int32_t weight);
  // Fails with: kPeer, as ExactSum::reduce.
  Status check_complete() const;
  // Elements [first, first + out.size()) of the arena; padding between segments too. With one shard of weight
  // 1 its values as they are. Threads: [any]
  void write(size_t first, std::span<float> out) const;

 private:
  std::vector<Segment> segments_;
  int64_t total_weight_;
  std::vector<const float*> values_;  // per shard
  std::vector<int32_t> weights_;
};

}  // namespace plait::inline cluster
