// The plans of one network, one per bucket, each compiled when the bucket is met for the first time.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "plan/buckets.h"
#include "plan/plan.h"

namespace plait::inline plan {

// All plans keep parameters at the same places in the same order, so one arena serves them all.
// Threads: create [setup only]; the rest [any].
class PlanCache {
 public:
  // A plan for samples of these parts, made in an arena of the plan's lanes.
  using Compile = std::function<Result<std::unique_ptr<Plan>>(const std::vector<PartSpec>& parts)>;

  // Compiles the plan of bucket 0, the bound.
  // Fails with: what `compile` reports.
  static Result<std::unique_ptr<PlanCache>> create(Buckets buckets, Compile compile);

  const Buckets& buckets() const { return buckets_; }
  const Plan& whole() const { return *plans_.front(); }
  // Compiles a bucket's plan unless it is there; others who ask for it meanwhile wait.
  // Fails with: what `compile` reports; kUnsupported naming the first parameter that a kernel of this bucket
  // keeps in another form than that of the bound.
  Result<const Plan*> at(size_t bucket);
  size_t compiled() const;
  // Activations of a replica for every bucket, those of buckets that were not met in proportion to their
  // samples. Units: bytes
  uint64_t activation_bytes() const;

 private:
  PlanCache(Buckets buckets, Compile compile);

  const Buckets buckets_;
  const Compile compile_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Plan>> plans_;  // per bucket; null: not met
};

}  // namespace plait::inline plan
