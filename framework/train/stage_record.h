// What a run's folder keeps beside the output of a stage: what it was made from, and what was told of it. So
// a later run knows whether it is still good, and evaluation and prediction find the arrays that they need.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "train/summary.h"

namespace plait::inline train {

// A text for RUN/OUTPUT.stage.json. `from`: a digest of all that decides the output.
Status write_stage_record(Files& files, const std::string& run_dir, const std::string& from,
                          const TaskStageInfo& info);
// Puts what was told of an output that is there, is the one that was written, and was made from the same,
// into `info`; false: there is none.
bool read_stage_record(Files& files, const std::string& run_dir, const std::string& from,
                       TaskStageInfo& info);

// On every rank the arrays of a stage, from its output in rank 0's folder, where they have no values yet.
// Fails with: kNotFound and kCorrupt where the file is not there, or not the one that the stage wrote.
// Collective.
Status share_stage_arrays(Files& files, const std::string& run_dir, const StageSpec& stage,
                          Transport& transport);
// Of all stages whose arrays the job's training uses; or those that these plugins name.
Status share_used_arrays(Files& files, const std::string& run_dir, const Job& job, Transport& transport);
Status share_used_arrays(Files& files, const std::string& run_dir, const Job& job,
                         const std::vector<PluginSpec>& plugins, Transport& transport);

}  // namespace plait::inline train
