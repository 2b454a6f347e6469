// The sink for a file that a person names on the command line.
#pragma once
#include <string>

#include "pipeline/job.h"
#include "registry/registry.h"

namespace plait::inline train {

// The one that --sink names, or that the ending of --out means, with the values its fields have by themselves.
// `sink`: "" where none is named.
// Fails with: kUsage where none of that name is loaded; kInvalid where no sink, or several, write such a file.
Result<PluginSpec> sink_for_file(const Registry& registry, const std::string& out, const std::string& sink);

}  // namespace plait::inline train
