// Ctrl-C and its kin: the first asks the run to save and stop, a second Ctrl-C ends the program at once.
#pragma once
#include <atomic>
#include <memory>

#include "base/status.h"

namespace plait::inline io {

// Listens to SIGINT, SIGTERM, SIGHUP and SIGUSR1 on a thread of its own, while it lives; but not to a SIGINT
// or SIGHUP that the caller of the program has set to be ignored (nohup, a shell's background). System calls
// that a signal interrupts go on. One object at a time. Threads: create and the end [setup only]; is_asked
// [any]
class StopSignals {
 public:
  // Fails with: kIo when the system gives no thread or descriptors.
  static Result<std::unique_ptr<StopSignals>> create();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  const std::atomic<bool>& is_asked() const;

 private:
  struct Body;
  explicit StopSignals(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

// The program's: it listens until the process ends. From then on a reader of the output that goes away
// (SIGPIPE) ends nothing: the write fails. Fails with: as StopSignals. Threads: [setup only]
Result<const std::atomic<bool>*> watch_stop_signals();

}  // namespace plait::inline io
