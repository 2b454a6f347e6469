// Where in a network NaN or infinity came up first: said in the message that stops a job.
#pragma once
#include <string>

#include "base/status.h"
#include "graph/replica.h"

namespace plait::inline train {

// After a step of `replica` on `batch`: "sample part \"image\"", "parameter c1.weight" or "the output of
// layer \"c1\"" for the first in the order of the network that holds a value that is not finite; "" when none
// does.
Result<std::string> first_not_finite(const Plan& plan, Replica& replica, const Batch& batch, Stream& stream);

}  // namespace plait::inline train
