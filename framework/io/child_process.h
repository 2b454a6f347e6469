// A process that this one begins: another program, or a function in a fork of this process. What it writes,
// how it ends, and its end when it has had its time.
//
// A child is begun by the thread that calls, and waited for through a WaitLoop: no thread is made for it, and
// no signal handler. Signals are held back while the process divides, so that none meant for this process is
// handled by the child.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "io/wait_loop.h"

namespace plait::inline io {

// How a process ended.
struct Ending {
  int exit_status = 0;
  int signal = 0;        // 0: it exited
  bool is_known = true;  // false: somebody has this process ignore its children, which then leave no status
  // "" for status 0, "status 1", "signal 11 (Segmentation fault)".
  std::string text() const;
};

struct ChildSetup {
  // What a standard stream of the child is: one of these, or a descriptor that stays the caller's.
  enum Stream : int {
    kSame = -1,     // as here
    kNowhere = -2,  // /dev/null
    kRead = -3,     // read by this process: output()
  };
  int in = kSame, out = kSame, err = kSame;
  size_t most_output_bytes = size_t{1} << 20;  // that are kept of what is read, its end

  enum class Group {
    kCallers,        // Ctrl-C at a terminal is for both
    kOwn,            // for the caller, who may pass it on
    kOwnEndsWithIt,  // and what the child has begun itself ends when the child does
  };
  Group group = Group::kCallers;
  int at_parents_end = 0;        // the signal that it gets when the thread that began it ends; 0: none
  bool writes_core = true;       // when it crashes
  bool default_signals = false;  // a function's: no handler of this process, none blocked
};

// Threads: [one at a time], with those of its loop.
class ChildProcess {
 public:
  // Begins `words`, the program first, which is looked for on PATH. One that cannot be begun says so on the
  // child's standard error ("plait: NAME: the system's words"), and ends with status 127, as of a shell.
  // `loop` outlives the child.
  // Fails with: kIo when the system makes no process.
  static Result<ChildProcess> start(WaitLoop& loop, const std::vector<std::string>& words,
                                    const ChildSetup& setup);
  // Begins a fork of this process that runs `work` and ends with the status that it returns, without what a
  // program does at its end. What work writes to the descriptor `answer` is read by take_answer. A lock that
  // another thread holds stays held in the child (malloc's and the loader's are made anew).
  // Fails with: kIo when the system makes no process.
  static Result<ChildProcess> fork(WaitLoop& loop, const std::function<int(int answer)>& work,
                                   const ChildSetup& setup);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) = delete;
  ~ChildProcess();  // kill

  pid_t id() const;
  // True when the loop has seen its end; all that it wrote has then been read, though a child of its own may
  // hold its streams open.
  bool has_ended() const;
  const Ending& ending() const;  // once it has ended
  // Waits for the end; false when it has not come within `patience`.
  bool wait(std::chrono::nanoseconds patience);

  const std::string& output() const;
  std::string take_answer();  // what has come since the last call

  void send(int signal);  // to the child alone, unless it has ended
  // Ends it, and with a group of its own that too. Returns when it has ended.
  void kill();
  // From now on nobody waits for it, and it goes on.
  void leave();

 private:
  struct Body;
  explicit ChildProcess(std::shared_ptr<Body> body);
  static Result<ChildProcess> begin(WaitLoop& loop, const std::function<int(int)>& work, bool has_answer,
                                    const ChildSetup& setup);
  std::shared_ptr<Body> body_;
};

}  // namespace plait::inline io
