// What `plait check` and `plait graph` show of a shaped network.
#pragma once
#include <string>

#include "plan/memory.h"
#include "plan/network.h"

namespace plait::inline plan {

// A line per layer: name, type, output shape, parameters, multiply-adds, memory of its output; then
// parameters and multiply-adds of one sample forward. Units: memory in KiB, multiply-adds in thousands (k),
// millions (M)
std::string network_table(const Network& network);

// "1.2 GiB". Units: KiB, MiB or GiB
std::string memory_text(uint64_t bytes);

// What a rank of so many threads holds: the total, then what it is made of; "at most" where the bounds of a
// stage make the total.
std::string memory_table(const RunMemory& use, int threads);

// Graphviz dot: parts, layers (fused ones in one box), losses, metrics; edges with shapes.
std::string network_dot(const Network& network);

}  // namespace plait::inline plan
