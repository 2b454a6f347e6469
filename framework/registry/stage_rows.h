// Arrays of a stage as a source of records: row i of each is record i. It may be wherever a source plugin
// can, and its parts are the arrays, by their names.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "registry/registry.h"
#include "registry/stage_arrays.h"

namespace plait::inline registry {

// The source's type, which is in no registry: a file says it as `from` and `array`.
const TypeEntry& stage_rows();
inline bool is_stage_rows(const plait_type& type) { return &type == stage_rows().type; }

// Its configuration. `stage`: the name, "" where the arrays are of none; `arrays`: those of them that are
// wanted; none: all. Opened, the source has as many records as there are rows, 0 where that is not known yet.
// Opening fails with: kInvalid for a name that is not there, an array without rows, and different numbers of
// rows.
std::shared_ptr<plait_config> stage_rows_config(const std::string& stage, std::shared_ptr<StageArrays> from,
                                                const std::vector<std::string>& arrays);
// What a configuration was made of.
std::string stage_of_rows(const plait_config& config);
std::vector<std::string> arrays_of_rows(const plait_config& config);

}  // namespace plait::inline registry
