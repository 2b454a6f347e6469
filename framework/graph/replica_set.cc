#include "graph/replica_set.h"

namespace plait::inline graph {

ReplicaSet::ReplicaSet(PlanCache& plans, Device& device, const Replica::Options& options)
    : plans_(plans),
      device_(device),
      options_(options),
      made_for_(plans.buckets().count()),
      replicas_(plans.buckets().count()) {}

// Sharers go before the replica whose arenas they use: it is the first, and the last that is taken apart.
ReplicaSet::~ReplicaSet() {
  while (!replicas_.empty()) replicas_.pop_back();
}

Result<std::unique_ptr<ReplicaSet>> ReplicaSet::create(PlanCache& plans, Device& device,
                                                       const Replica::Options& options) {
  std::unique_ptr<ReplicaSet> set(new ReplicaSet(plans, device, options));
  PLAIT_TRY(set->make(0));
  return set;
}

Status ReplicaSet::make(size_t bucket) {
  PLAIT_ASSIGN(made_for_[bucket], plans_.at(bucket));
  Replica::Options options = options_;
  if (replicas_.front()) options.share_with = replicas_.front().get();
  PLAIT_ASSIGN(replicas_[bucket], Replica::create(*made_for_[bucket], device_, options));
  return {};
}

Result<Replica*> ReplicaSet::at(size_t bucket) {
  if (!replicas_[bucket]) PLAIT_TRY(make(bucket));
  Replica* replica = replicas_[bucket].get();
  if (prepared_ != bucket) PLAIT_TRY(replica->weights_changed());
  prepared_ = bucket;
  return replica;
}

std::vector<NodeTime> ReplicaSet::profile() const {
  std::vector<NodeTime> sums = replicas_.front()->profile();
  for (size_t bucket = 1; bucket < replicas_.size(); ++bucket) {
    if (!replicas_[bucket]) continue;
    const std::vector<NodeTime> times = replicas_[bucket]->profile();
    for (size_t i = 0; i < times.size() && i < sums.size(); ++i) {
      sums[i].calls += times[i].calls;
      sums[i].total_ns += times[i].total_ns;
    }
  }
  return sums;
}

}  // namespace plait::inline graph
