// What a job's layers chose where a field left it to them ("auto"), written into the job: it is then the same
// to whoever reads the run later, also by a version with another rule.
#pragma once
#include "pipeline/job.h"
#include "plan/plan.h"

namespace plait::inline train {

// Writes `value` into a field of the layer, as the file could have. Other copies of the job keep theirs.
void choose(LayerSpec& layer, const std::string& field, const std::string& value);

// The job as a text, as Job::resolved, with each choice of the plan's layers in place of what left it open.
std::string settled_text(const Job& job, const Plan& plan);

}  // namespace plait::inline train
