// What `plait evaluate` does: the weights of a run that is done, measured.
#pragma once
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/observer.h"

namespace plait::inline train {

struct EvaluateOptions {
  std::string run_dir;
  std::string weights = "last";  // "last", "best", or a safetensors file
  std::string on = "test";       // "test", "validation"
  int threads = 0;
};

// Evaluates a run's weights, which are compared with the digests in its summary; `job` is the one at
// resolved_path(run_dir). Errors as for run_job.
Result<EvaluationInfo> evaluate_run(const Registry& registry, const Job& job, const EvaluateOptions& options,
                                    Transport& transport, Clock& clock, Files& files);

}  // namespace plait::inline train
