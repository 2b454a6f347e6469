// The call of a library's one exported function, and the checks of what it answers.
#pragma once
#include <plait/abi.h>

#include "base/library.h"
#include "base/status.h"

namespace plait::inline registry {

// The library's table, checked. Its entry is called once a process: what it answered is kept.
// Fails with: kInvalid when it has no entry of this major, refuses this Plait, was built for another version,
// or its tables contradict themselves; kPlugin when it throws. Threads: [setup only]
Result<const plait_plugin*> checked_plugin_of(const Library& library);

}  // namespace plait::inline registry
