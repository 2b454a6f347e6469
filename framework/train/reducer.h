// A reducer plugin at work: weights of the shards for the exact sum, or a combination of all their results.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/instance.h"
#include "registry/registry.h"

namespace plait {

// A linear reducer gives every shard a weight; a gathering one sees the results of all shards, which then
// travel to every rank: its memory grows with the number of shards. It combines all that comes out of a
// round: deltas, buffers and averaged slots. A shard that failed in its numbers takes part with infinities,
// and NaNs of others come as such too: in any order of numbers they are at the end, where a robust reducer
// leaves them out. What it gives must be finite.
class Reducer {
 public:
  // `samples`: of one shard in a round. Weights are divided by their common divisor, and only then have to be
  // small. Fails with: what the plugin reports; kInvalid when the weights cannot be summed.
  static Result<std::unique_ptr<Reducer>> create(const Registry& registry, const PluginSpec& spec, int shards,
                                                 int64_t samples);
  bool gathers() const { return gathers_; }
  int32_t weight(int shard) const { return weights_[static_cast<size_t>(shard)] / divisor_; }
  int64_t total_weight() const;
  // Fails with: kUnsupported when a linear reducer wants another weight now that the loss is known: exact
  // sums need the weights before the round.
  Status check_weight(int shard, double loss) const;

  // Gathering reducers: begin, then keep or leave_out each shard of this rank, then combine on all ranks.
  // Threads: keep and leave_out [any]
  void begin();
  // `parts`: the arrays of a shard, each of the same length for all shards.
  // False when some value was not finite: it then counts as an infinity.
  bool keep(int shard, std::span<const std::span<const float>> parts);
  // A shard without a result. `lengths`: of the parts.
  void leave_out(int shard, std::span<const size_t> lengths);
  // Combines the shards' parts, each by itself. Fails with: what the plugin reports, kPeer.
  Status combine(Transport& transport, std::span<const std::span<float>> parts);

 private:
  Reducer() = default;
  Result<int32_t> ask(int shard, double loss) const;
  Status check_weights() const;
  Status combine_part(const std::vector<const float*>& values, std::span<float> combined) const;
  std::string name() const { return "reducer " + std::string(instance_.entry().type->id); }

  Instance instance_;
  bool gathers_ = false;
  int64_t samples_ = 0;
  std::vector<int32_t> weights_;  // as the plugin gives them
  int32_t divisor_ = 1;
  std::mutex mutex_;
  std::map<int, std::vector<float>> results_;  // by shard: its parts, one after the other
};

}  // namespace plait
