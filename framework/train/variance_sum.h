// Variances over the samples of several shards, from each shard's mean m_k and centred variance v_k:
//     M = mean of m_k,   V = mean of v_k + (m_k - M)^2,
// both weighted. Nothing cancels, however far the means lie from 0, and both means are exact sums, so the
// order does not matter. M must be known first, so the rank keeps its shards' values until then: they are as
// many as a network has channels.
#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/status.h"
#include "cluster/exact_sum.h"
#include "cluster/transport.h"

namespace plait::inline train {

class VarianceSum {
 public:
  // A buffer of variances and the means that they are about. Units: elements of the arena.
  struct Pair {
    std::string name;  // of the variances
    size_t mean = 0, variance = 0, count = 0;
  };
  static Result<std::unique_ptr<VarianceSum>> create(std::vector<Pair> pairs, int64_t total_weight);

  void begin() { used_ = 0; }
  // Shapes: values [arena]. Fails with: kNumeric naming the buffer. Threads: [any]
  Status keep(std::span<const float> values, int32_t weight);
  // `means`: the arena in which the means of all shards are. Fails with: what ExactSum reports.
  // Shapes: means [arena]
  Status reduce(Transport& transport, std::span<const float> means);
  // Writes the variances. Shapes: out [arena]
  void write(std::span<float> out) const;

 private:
  struct Kept {
    std::vector<float> means, variances;  // of all pairs, one after the other
    int32_t weight = 1;
  };
  explicit VarianceSum(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {}
  Kept& next_kept();

  std::vector<Pair> pairs_;
  size_t count_ = 0;  // of all pairs
  std::unique_ptr<ExactSum> sum_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Kept>> kept_;
  size_t used_ = 0;  // of kept_, in this round
};

}  // namespace plait::inline train
