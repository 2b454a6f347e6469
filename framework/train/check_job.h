// What a run would refuse before its first step, asked without one: by `check`.
#pragma once
#include "base/status.h"
#include "pipeline/job.h"
#include "registry/registry.h"

namespace plait {

// Makes the reducer and the kernels of the training network, and throws them away. A job without loss or
// optimizer trains nothing and is not asked about.
// Fails with: what they report: weights that cannot be summed, a layer that cannot train by its input.
// Threads: [setup only]
Status check_training(const Registry& registry, const Job& job);

}  // namespace plait
