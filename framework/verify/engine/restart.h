// The program, started again with libraries before its own.
#pragma once
#include <string>
#include <vector>

namespace plait::inline verify {

// Starts this program again, with the same words, with `libraries` before all others (LD_PRELOAD) and at
// fixed addresses. Returns when it is the second start already, or when the system refuses. Threads: [setup
// only], before any other thread.
void restart_with(const std::vector<std::string>& libraries);

// The libraries of restart_with, in the second start; else empty.
std::vector<std::string> preloaded_at_restart();

}  // namespace plait::inline verify
