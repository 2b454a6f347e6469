// A process that has a file's plugins loaded, and makes a process of itself for each test: loading takes
// longer than most tests do.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/regular_file.h"
#include "base/status.h"
#include "io/wait_loop.h"
#include "verify/engine/child.h"

namespace plait::inline verify {

// Threads: [one at a time], in a process without other threads (it forks).
class LoadedFile {
 public:
  // Both are called in processes of their own: load once, before the first test; try_test after it, in a
  // process that begins as load left it.
  struct Work {
    std::function<Status(TestProgress& progress)> load;
    std::function<std::string(size_t test, TestProgress& progress)> try_test;
  };
  struct Outcome {
    Result<std::string> answer;  // of the test; or how it, or loading, ended
    double seconds;
  };

  // `loop` outlives it. A load and a test may each use `limit_s`, see Child.
  // Fails with: kIo when the system makes no folder, pipe or process.
  static Result<LoadedFile> start(WaitLoop& loop, const Work& work, double limit_s);

  // Begins a test; the one before has ended.
  void begin(size_t test);
  bool has_ended() { return process_->has_ended(); }  // by no wish of ours
  // The test's, once it has ended; worth asking when the loop has waited.
  std::optional<Outcome> take();

 private:
  LoadedFile(std::unique_ptr<Child> process, Descriptor from, Descriptor to);
  std::optional<Outcome> cut_short();

  std::unique_ptr<Child> process_;
  Descriptor from_, to_;  // of a pipe of tests' numbers; both here: a write when it has ended is no signal
  std::string received_;  // not yet taken
  bool is_loaded_ = false;
};

}  // namespace plait::inline verify
