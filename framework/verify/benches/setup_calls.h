// The calls of a type before the first step, made in a row: what a plugin allocates, it allocates there.
#pragma once
#include <plait/kinds.h>

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

struct SetupCalls {
  std::string what;  // configuration and shapes
  // All [setup] calls of the kind (infer, create, describe, ...), and the end of what they made. The k-th
  // allocation in them is refused; 0: none. Nothing else allocates in between.
  // Fails with: what the plugin reports first.
  std::function<Status(uint64_t refused)> make;
};

// Up to `count` that succeed. Fails with: skipped, when there is none.
Result<std::vector<SetupCalls>> setup_calls(Trial& trial, size_t count);
// Up to `count` that may succeed, by kind: layer_setup_calls, loss_setup_calls, ...
#define PLAIT_KIND_SETUP(kind, Name, ops) \
  Result<std::vector<SetupCalls>> kind##_setup_calls(Trial& trial, size_t count);
PLAIT_KINDS(PLAIT_KIND_SETUP)
#undef PLAIT_KIND_SETUP

}  // namespace plait::inline verify
