// How much memory this process may use at most.
#pragma once
#include <cstdint>

namespace plait::inline base {

// The machine's, or what its container is given where that is less; the largest number where the system tells
// neither. Units: bytes. Threads: [any]
uint64_t machine_memory();

}  // namespace plait::inline base
