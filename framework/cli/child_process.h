// Programs that run beside this one: what they print goes into a file, how they end is told.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait {

// How a program ended.
struct Ending {
  pid_t process = 0;
  int exit_status = 0;
  int signal = 0;  // 0: it exited
  // "" for status 0, "status 1", "signal 11 (Segmentation fault)".
  std::string text() const;
};

// Begins `words` (the program first, looked for on PATH) in a process group of its own: Ctrl-C at a terminal
// is for the caller, who may pass it on. Standard output and error go to `log`. When the caller dies, it is
// asked to end. Fails with: kIo. Threads: [one at a time]
Result<pid_t> start_program(const std::vector<std::string>& words, const std::string& log);

// The next of the programs begun that has ended; none when none has within `patience_ms`.
Result<std::optional<Ending>> wait_for_any(int patience_ms);

}  // namespace plait
