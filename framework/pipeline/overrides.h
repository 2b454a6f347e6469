// Changes to the fields of a file from the command line, --set, --del and --var, typed like the file.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "pipeline/check_names.h"
#include "pipeline/job_change.h"
#include "pipeline/variables.h"

namespace plait::inline pipeline {

// Applies the changes in their order to the fields of a job whose variables are replaced. The value of a set
// may use variables: as the file has them, with what a --var before it says. Blocks on the way are made when
// they are not there. The texts are kept in `texts`, where errors ("--set:1:17: ...") point.
// The time is that of the job and the changes, but for lists within blocks.
// Errors: plugin and plugin_path, which are read before; an unknown name on the way, "[c9]" that names
// nothing, several blocks to choose from, a value that does not parse, += on a field that takes one value.
void apply_overrides(const Schema& schema, const std::vector<JobChange>& changes, Variables& variables,
                     std::deque<SourceText>& texts, std::vector<Field>& fields, Errors& errors);

}  // namespace plait::inline pipeline
