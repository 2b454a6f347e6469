// What a plugin shares with the whole process, and has to leave as it found it.
#pragma once
#include <map>
#include <string>

namespace plait {

// Working folder, environment, locale, signal handlers, standard streams, floating-point mode, limits, ... as
// text, by name. Threads: [one at a time]
class ProcessState {
 public:
  static ProcessState now();
  // What the calling thread has of its own alone: arithmetic, blocked signals, locale, priority, processors.
  static ProcessState of_thread();
  // "" or what another state has otherwise: "the working folder was "/a", is "/b"".
  std::string difference(const ProcessState& later) const;

 private:
  std::map<std::string, std::string> parts_;
};

// Threads of this process, open files, and child processes, in words, that are there now but not in a count
// taken before: "2 threads". What ends has a while to be gone.
struct ProcessCounts {
  size_t threads = 0, files = 0, children = 0;
  static ProcessCounts now();
  std::string left_since(const ProcessCounts& before) const;
};
// Waits until nothing is left since `before`, at most some seconds: "" or what is.
std::string left_behind(const ProcessCounts& before);

}  // namespace plait
