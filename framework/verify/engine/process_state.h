// What a plugin shares with the whole process, and has to leave as it found it.
#pragma once
#include <map>
#include <string>

namespace plait::inline verify {

// While it lives, standard output is a file in memory of which ProcessState tells the text: the host prints
// its own there, and progress as JSON. Threads: [one at a time]
class WatchedOutput {
 public:
  WatchedOutput();
  ~WatchedOutput();
  WatchedOutput(const WatchedOutput&) = delete;
  WatchedOutput& operator=(const WatchedOutput&) = delete;

 private:
  int before_ = -1;  // the standard output that there was
};

// Working folder, environment, locale, signal handlers, standard streams, floating-point mode, limits, random
// numbers of the C library, ... as text, by name. Threads: [one at a time]
class ProcessState {
 public:
  // With `files`: the open ones too, which may be closed by nobody else. A device's driver does with its own
  // what it likes.
  static ProcessState now(bool files = true);
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

}  // namespace plait::inline verify
