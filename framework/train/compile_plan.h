// From a job to compiled plans: shapes, then kernels, made in an arena of the job's lanes.
#pragma once
#include <memory>
#include <vector>

#include "graph/device.h"
#include "pipeline/job.h"
#include "plan/plan_cache.h"
#include "registry/registry.h"

namespace plait::inline train {

struct PlanPurpose {
  int batch = 1;
  bool training = true;
  bool buckets = true;        // false: the bound alone
  bool measuring = false;     // see CompileOptions
  bool keeps_values = false;  // the same
};

// Of the job's network for samples of these parts, on the device. Everything borrowed outlives the plans.
// Threads: [setup only]
Result<std::unique_ptr<PlanCache>> compile_plans(const Registry& registry, const Job& job,
                                                 const std::vector<PartSpec>& parts,
                                                 const PlanPurpose& purpose, Device& device);

}  // namespace plait::inline train
