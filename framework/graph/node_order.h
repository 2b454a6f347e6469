// Which node must wait for which.
#pragma once
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "graph/node.h"

namespace plait::inline graph {

using Edge = std::pair<size_t, size_t>;  // first before second; first < second

// `nodes` in an order in which one thread could run them. Two nodes that touch the same memory, one of them
// writing, stay in that order; nothing else binds them. Edges that follow from others are left out.
std::vector<Edge> memory_order(std::span<const std::vector<MemoryUse>> uses);

// One after the other: for one thread, and for a device whose stream keeps the order of its calls.
std::vector<Edge> serial_order(size_t nodes);

}  // namespace plait::inline graph
