// What `plait check` and `plait graph` show of a shaped network.
#pragma once
#include <string>

#include "plan/network.h"

namespace plait {

// A line per layer: name, type, output shape, parameters, multiply-adds, memory of its output; then totals:
// parameters, multiply-adds of one sample forward, memory of a training replica (activations and their
// gradients, weights, weight gradients, `slots` optimizer values per weight). Units: memory in KiB,
// multiply-adds in thousands (k), millions (M) ...
std::string network_table(const Network& network, int slots);

// Graphviz dot: parts, layers (fused ones in one box), losses, metrics; edges with shapes.
std::string network_dot(const Network& network);

}  // namespace plait
