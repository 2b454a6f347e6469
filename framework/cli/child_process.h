// Programs that run beside this one: what they print goes into a file, how they end is told.
#pragma once
#include <sys/types.h>

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

// Begins `words` (the program first, looked for on PATH). Standard output and error go to `log`.
// Fails with: kIo. Threads: [one at a time]
Result<pid_t> start_program(const std::vector<std::string>& words, const std::string& log);

// Waits until one of the programs begun has ended.
Result<Ending> wait_for_any();

}  // namespace plait
