// Ctrl-C and its kin: the first asks the run to save and stop, a second Ctrl-C ends the program at once.
#pragma once
#include <atomic>

namespace plait {

// Installs handlers for SIGINT, SIGTERM, SIGHUP and SIGUSR1; those of SIGINT and SIGHUP that the caller of
// the program has set to be ignored (nohup, a shell's background) stay so. From then on a reader of the
// output that goes away (SIGPIPE) ends nothing: the write fails. Threads: [setup only]
const std::atomic<bool>& watch_stop_signals();

}  // namespace plait
