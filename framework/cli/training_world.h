// The ranks of a command that trains, and how it ends: what `run` and `try` share.
#pragma once
#include <atomic>
#include <functional>
#include <memory>

#include "cli/session.h"
#include "cluster/transport.h"
#include "report/progress.h"
#include "train/run.h"

namespace plait::inline cli {

// Threads: [one at a time], the program's first thread.
class TrainingWorld {
 public:
  // Watches for signals to stop, joins the ranks and runs `command`. A failure that is one rank's alone ends
  // the others too, and is said once.
  using TrainCommand = std::function<Result<int>(TrainingWorld& world)>;
  static Result<int> enter(const std::function<void()>& before, const TrainCommand& command);

  Transport& transport() { return *transport_; }
  // Trains the session's job; the exit status. Does not come back when the run was stopped and a thread is
  // caught in a source.
  Result<int> train(const Session& session, RunOptions options, ProgressMode progress);

  ~TrainingWorld();
  TrainingWorld(const TrainingWorld&) = delete;
  TrainingWorld& operator=(const TrainingWorld&) = delete;

 private:
  TrainingWorld(std::unique_ptr<Transport> transport, const std::atomic<bool>& stop)
      : transport_(std::move(transport)), stop_(stop) {}
  void say_stopped(const Status& status) const;
  [[noreturn]] void leave(const Status& status);

  std::unique_ptr<Transport> transport_;
  const std::atomic<bool>& stop_;
};

}  // namespace plait::inline cli
