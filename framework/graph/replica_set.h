// The replicas of one worker: one per bucket that it has met, of one set of weights.
#pragma once
#include <memory>
#include <vector>

#include "graph/replica.h"
#include "plan/plan_cache.h"

namespace plait::inline graph {

// Threads: create [setup only]; the rest [one at a time].
class ReplicaSet {
 public:
  // Makes the replica of the bound, whose arenas the others share; its own are those of options.share_with
  // where that is given. Plans and device outlive the set. Fails with: what Replica::create reports.
  static Result<std::unique_ptr<ReplicaSet>> create(PlanCache& plans, Device& device,
                                                    const Replica::Options& options);

  ~ReplicaSet();

  // Of the bound; for the arenas.
  Replica& whole() { return *replicas_.front(); }
  // After whole().weights() was written from outside.
  void weights_changed() { prepared_ = kNone; }
  // The replica for batches of this bucket, with what its layers prepare from the weights up to date.
  // Compiles and allocates only when the bucket is met for the first time. Fails with: what PlanCache::at,
  // Replica::create and the layers' prepare report.
  Result<Replica*> at(size_t bucket);
  // Of a bucket that at() was called for.
  const Plan& plan(size_t bucket) const { return *made_for_[bucket]; }
  // Added up over all replicas.
  std::vector<NodeTime> profile() const;

 private:
  static constexpr size_t kNone = ~size_t{0};
  ReplicaSet(PlanCache& plans, Device& device, const Replica::Options& options);
  Status make(size_t bucket);

  PlanCache& plans_;
  Device& device_;
  const Replica::Options options_;
  std::vector<const Plan*> made_for_;               // per bucket
  std::vector<std::unique_ptr<Replica>> replicas_;  // per bucket; null: not met
  size_t prepared_ = kNone;  // the bucket whose replica ran last: an update prepares only its own layers
};

}  // namespace plait::inline graph
