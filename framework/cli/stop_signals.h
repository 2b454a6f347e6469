// Ctrl-C and its kin: the first asks the run to save and stop, the second ends the program at once.
#pragma once
#include <atomic>

namespace plait {

// Installs handlers for SIGINT, SIGTERM and SIGUSR1. Threads: [setup only]
const std::atomic<bool>& watch_stop_signals();

}  // namespace plait
