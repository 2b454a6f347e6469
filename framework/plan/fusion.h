// Fusion by advertised description: a layer that is nothing but an elementwise function ("epilogue") is
// absorbed by the layer before it, if that one accepts such a function, and nobody else reads what lies
// between.
#pragma once
#include "plan/network.h"

namespace plait::inline plan {

// The absorbing node then writes the absorbed node's output; the tensor between is gone from both nodes (it
// keeps its entry in network.tensors, written by nobody: node = -1, part = -1). At most one epilogue a node.
// `functions`: also those that bring functions of their own, which work in host memory.
void absorb_epilogues(Network& network, bool functions);

}  // namespace plait::inline plan
