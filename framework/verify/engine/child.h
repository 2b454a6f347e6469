// Work done in a process of its own, with what it answers and how it ends.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/child_process.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

// False when nobody reads it.
bool write_all(int descriptor, std::string_view text);

// Threads: [one at a time], in a process without other threads (it forks).
class Child {
 public:
  // Runs `work` in a new process, in an empty folder of its own; what it returns is the answer. `loop`
  // outlives the child; has_ended is worth asking again when it has waited. Fails with: kIo when the system
  // makes no folder or no process. Threads of the work together may use `limit_s` of processor time; see
  // is_late.
  static Result<Child> start(WaitLoop& loop, const std::function<std::string(TestProgress& progress)>& work,
                             double limit_s);
  // The same of work that is asked for more than one thing, over its standard input, which is `in`, and may
  // write to the descriptor `answer` what take_answer gives.
  using Serve = std::function<std::string(TestProgress& progress, int answer)>;
  static Result<Child> serve(WaitLoop& loop, const Serve& work, int in, double limit_s);

  // How long to wait before is_late is worth asking again.
  static std::chrono::milliseconds patience(double limit_s);
  // True when it has used its time, has stood still (used none) for as long, or is ten times as old: on a
  // machine that is slow or busy with others a test may take long.
  bool is_late();
  bool has_ended();
  void kill();  // past its limit
  // True when it has ended, by itself or since it was late, and was killed.
  bool is_over();
  // Waits until it is over. What answer gives.
  Result<std::string> wait(WaitLoop& loop);

  std::string take_answer() { return process_.take_answer(); }  // what has come since the last call
  // After has_ended said true or kill: ok with the answer, or how it ended ("crashed (SIGSEGV) in forward,
  // ..."). `taken`: what take_answer gave of it.
  Result<std::string> answer(std::string taken = "");
  double seconds() const { return seconds_; }

 private:
  struct Unmap {
    void operator()(TestProgress* progress) const;
  };
  using Progress = std::unique_ptr<TestProgress, Unmap>;  // memory that both processes see
  struct Remove {
    void operator()(const std::filesystem::path* folder) const;
  };
  using Folder = std::unique_ptr<const std::filesystem::path, Remove>;
  Child(ChildProcess process, Progress progress, Folder folder, double limit_s);
  static Result<Folder> make_folder();
  double age() const;
  double used_s() const;  // of processor time
  std::string at() const;

  Progress progress_;
  Folder folder_;  // before the process, which ends first: it is removed however that ended
  ChildProcess process_;
  double limit_s_;
  std::chrono::steady_clock::time_point begin_;
  double used_s_ = 0, moved_s_ = 0;  // when it was last seen at work: time used, age
  bool hung_ = false;
  double seconds_ = 0;
};

}  // namespace plait::inline verify
