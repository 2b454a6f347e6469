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
#include "train/gathered.h"

namespace plait::inline train {

// A linear reducer gives every shard a weight; a gathering one sees the results of all shards, which then
// travel to every rank: its memory grows with the number of shards. It combines all that comes out of a
// round: deltas, buffers and averaged slots. A shard that failed in its numbers takes part with infinities,
// and NaNs of others come as such too: in any order of numbers they are at the end, where a robust reducer
// leaves them out. What it gives must be finite.
//
// One that takes the whole sees a shard's vector at once, with the shards' losses and states of its own. A
// shard with any value that is not finite has failed there: its vector is infinities, and so is its loss. It
// is called on every rank alike.
class Reducer {
 public:
  // Of one shard's round.
  struct Outcome {
    double loss = 0;  // mean; infinite: it failed
    int64_t samples = 0;
  };

  // `samples`: of one shard in a round. Weights are divided by their common divisor, and only then have to be
  // small. One that takes the whole is tried once on vectors of no elements, so that it can refuse the number
  // of shards. Fails with: what the plugin reports; kInvalid when the weights cannot be summed, or when
  // states have names that cannot be.
  static Result<std::unique_ptr<Reducer>> create(const Registry& registry, const PluginSpec& spec, int shards,
                                                 int64_t samples);
  bool gathers() const { return gathers_; }
  bool takes_whole() const { return takes_whole_; }
  // What one that takes the whole keeps between rounds: an element for each of its vectors.
  const std::vector<SlotInfo>& states() const { return states_; }
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
  // The same where it takes the whole. `outcomes`: by shard, the same on all ranks. `states`: as long as the
  // layout's vector each; left as they are when it fails. Padding of states and of what it gives is 0.
  Status combine_whole(Transport& transport, const GatheredLayout& layout, int64_t round,
                       std::vector<Outcome> outcomes, std::vector<std::vector<float>>& states,
                       std::span<const std::span<float>> parts);

 private:
  Reducer() = default;
  Result<int32_t> ask(int shard, double loss) const;
  Status check_weights() const;
  Status describe(const plait_type& type);
  Status try_number_of_shards(const PluginSpec& spec) const;
  Result<std::vector<std::vector<float>>> gather(Transport& transport, size_t count);
  Status call_whole(plait_whole_reduction& call, const std::vector<Outcome>& outcomes,
                    const std::vector<std::vector<float>>& deltas,
                    std::vector<std::vector<float>>& states) const;
  Status combine_part(const std::vector<const float*>& values, std::span<float> combined) const;
  std::string name() const { return "reducer " + std::string(instance_.entry().type->id); }

  Instance instance_;
  bool gathers_ = false, takes_whole_ = false;
  std::vector<SlotInfo> states_;
  int64_t samples_ = 0;
  std::vector<int32_t> weights_;  // as the plugin gives them
  int32_t divisor_ = 1;
  std::mutex mutex_;
  std::map<int, std::vector<float>> results_;  // by shard: its parts, one after the other
};

}  // namespace plait::inline train
