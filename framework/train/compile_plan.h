// From a job to a compiled plan: shapes, then kernels, made in an arena of the job's lanes.
#pragma once
#include <memory>
#include <vector>

#include "graph/device.h"
#include "pipeline/job.h"
#include "plan/plan.h"
#include "registry/registry.h"

namespace plait {

// Of the job's network for samples of these parts, on the device. Threads: [setup only]
Result<std::unique_ptr<Plan>> compile_plan(const Registry& registry, const Job& job,
                                           const std::vector<PartSpec>& parts, int batch, bool training,
                                           Device& device);

}  // namespace plait
