// Checked fields as a Job: values, defaults, and the references between blocks.
#pragma once
#include <vector>

#include "pipeline/configure.h"
#include "pipeline/job.h"
#include "pipeline/load.h"

namespace plait::inline pipeline {

// Fills `job` from the fields of a file. What the fields do not say stays as it is in `job`: the defaults of
// Job, or a base job's, whose stages may be named and are not those of `job` after it. `file` is the place of
// errors that have none of their own. Errors: everything that load_job names.
void to_job(const Schema& schema, const std::vector<Field>& fields, const Place& file, bool for_training,
            Job& job, Errors& errors);

}  // namespace plait::inline pipeline
