// What plugins say decides the bits of their results besides their own code (<plait/numerics.h>).
#pragma once
#include <plait/abi.h>

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace plait::inline registry {

// Names and values of the plugin's facts in its order; none where it has no such extension.
// Fails with: kPlugin when the plugin cannot find them out. Threads: [setup only]
Result<std::vector<std::pair<std::string, std::string>>> numerics_of(const plait_plugin* plugin);

}  // namespace plait::inline registry
