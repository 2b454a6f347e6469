// While it lives, what is written to standard output goes to standard error: libraries that greet while they
// load must not be between the lines of `--progress json`.
#pragma once
#include <unistd.h>

#include <cstdio>

namespace plait::inline registry {

// Threads: [setup only]
class OutputAside {
 public:
  OutputAside() {
    std::fflush(stdout);
    kept_ = ::dup(STDOUT_FILENO);
    if (kept_ >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  ~OutputAside() {
    std::fflush(stdout);
    if (kept_ < 0) return;
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
  }
  OutputAside(const OutputAside&) = delete;
  OutputAside& operator=(const OutputAside&) = delete;

 private:
  int kept_;
};

}  // namespace plait::inline registry
