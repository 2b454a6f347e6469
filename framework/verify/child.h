// Work done in a process of its own, with what it answers and how it ends.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>

#include "base/status.h"
#include "verify/trial.h"

namespace plait {

// Threads: [one at a time], in a process without other threads (it forks).
class Child {
 public:
  // Runs `work` in a new process, in an empty folder of its own; what it returns is the answer.
  // Fails with: kIo when the system makes no process.
  // Threads of the work together may use `limit_s` of processor time; see is_late.
  static Result<Child> start(const std::function<std::string(TestProgress& progress)>& work, double limit_s);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) = delete;
  ~Child();

  int descriptor() const { return pipe_; }  // readable when there is something for take
  // How long to wait for the descriptor before is_late is worth asking again.
  double patience_s() const;
  // True when it has used its time, has stood still (used none) for as long, or is ten times as old: on a
  // machine that is slow or busy with others a test may take long.
  bool is_late();
  // Reads what there is. True when the child is done.
  bool take();
  void kill();  // past its limit

  // After take said true or kill: ok with the answer, or how it ended ("crashed (SIGSEGV) in forward, ...").
  Result<std::string> answer();
  double seconds() const { return seconds_; }

 private:
  Child(pid_t pid, int pipe, int errors, TestProgress* progress, double limit_s);
  double age() const;
  double used_s() const;  // of processor time
  std::string at() const;
  std::string errors() const;  // what it wrote to standard error

  pid_t pid_;
  int pipe_;
  int errors_;              // a file in memory
  TestProgress* progress_;  // shared memory
  double limit_s_;
  std::chrono::steady_clock::time_point begin_;
  double used_s_ = 0, moved_s_ = 0;  // when it was last seen at work: time used, age
  std::string text_;
  int status_ = 0;
  bool hung_ = false;
  double seconds_ = 0;
};

}  // namespace plait
