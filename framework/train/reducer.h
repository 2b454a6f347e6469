// A reducer plugin at work: weights of the shards for the exact sum, or a combination of all their deltas.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/instance.h"
#include "registry/registry.h"

namespace plait {

// A linear reducer gives every shard a weight; a gathering one sees the deltas of all shards, which then
// travel to every rank: its memory grows with the number of shards.
class Reducer {
 public:
  // `samples`: of one shard in a round.
  static Result<std::unique_ptr<Reducer>> create(const Registry& registry, const PluginSpec& spec, int shards,
                                                 int64_t samples);
  bool gathers() const { return gathers_; }
  int32_t weight(int shard) const { return weights_[static_cast<size_t>(shard)]; }
  int64_t total_weight() const;
  // Fails with: kUnsupported when a linear reducer wants another weight now that the loss is known: exact
  // sums need the weights before the round.
  Status check_weight(int shard, double loss) const;

  // Gathering reducers. begin, then keep each delta of this rank, then combine on all ranks. Threads: keep
  // [any]
  void begin() { deltas_.clear(); }
  void keep(int shard, std::span<const float> delta);
  Status combine(Transport& transport, std::span<float> combined);

 private:
  Reducer() = default;
  Result<int32_t> ask(int shard, double loss) const;

  Instance instance_;
  bool gathers_ = false;
  int64_t samples_ = 0;
  std::vector<int32_t> weights_;
  std::mutex mutex_;
  std::map<int, std::vector<float>> deltas_;  // by shard
};

}  // namespace plait
