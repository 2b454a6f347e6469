// Steps between element types, of a network in precision bf16: f32 to bf16, rounded to the nearest, ties to
// even, NaN kept; bf16 to f32, which is exact. Backward is the other way round.
#pragma once
#include "plan/step_maker.h"

namespace plait::inline plan {

// An instance for a node that converts, on the host's processor. Threads: its functions [any]
MadeLayer make_conversion();

}  // namespace plait::inline plan
