// Counts allocations of the whole process, oneTBB's among them, for tests.
#pragma once
#include <cstdint>

namespace plait::inline graph {

// Calls of malloc and its relatives so far; operator new comes through them. 0 for ever where a sanitizer has
// its own.
uint64_t allocations();

}  // namespace plait::inline graph
