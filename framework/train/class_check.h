// Whether a network's outputs have a place for every class of its samples.
#pragma once
#include "base/status.h"
#include "graph/device.h"
#include "pipeline/job.h"
#include "plan/plan.h"
#include "registry/registry.h"

namespace plait::inline train {

// `classes`: of the source, 0 where it does not say. A loss is asked, on a batch of the last class; a metric
// cannot refuse a target: it is taken to read classes where its target is whole numbers, one a position of
// its prediction, and the prediction has two or more numbers there. Fails with: kInvalid naming loss or
// metric, its prediction with its layer, and the source. Threads: [setup only]
Status check_classes(const Registry& registry, const Job& job, const Plan& plan, uint32_t classes,
                     Device& device);

}  // namespace plait::inline train
