// Long work of a rank that can be left: it runs on a thread of its own, while the transport's thread waits,
// and looks for a reason to stop: this rank's own, or another rank's word.
//
// So a run stops at its next step, on every rank, and also while a source never comes back from reading. The
// thread that waits sleeps; it costs no core.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/status.h"
#include "cluster/transport.h"

namespace plait {

// Threads: [one at a time], the transport's thread; cancelled() [any].
class StoppableWork {
 public:
  // How long work that was cancelled is waited for.
  static constexpr std::chrono::seconds kPatience{1};

  // `transport` outlives this.
  explicit StoppableWork(Transport& transport);
  ~StoppableWork();  // waits for work that is caught
  StoppableWork(const StoppableWork&) = delete;
  StoppableWork& operator=(const StoppableWork&) = delete;

  // Set when the rank is to stop: work looks at it between its steps.
  const std::atomic<bool>& cancelled() const { return cancelled_; }

  // Runs work() and gives what it returned. What it refers to lives as long as this. Does not allocate where
  // std::function does not.
  // Fails with: kStopped when a rank was to stop before the work was done: the ranks have then met in
  // Transport::abandon, and what the work was to make is of no use.
  Status run(std::function<Status()> work);

  // True when work that was cancelled has not come back in kPatience: its thread is still in it, and no more
  // work is taken.
  bool is_caught() const { return caught_; }

 private:
  using Time = std::chrono::steady_clock;
  enum class Stage { kIdle, kPosted, kDone, kEnding };
  void serve();
  void post(std::function<Status()> work);
  bool is_done_within(Time::duration patience);
  bool look_for_stop();

  Transport& transport_;
  std::atomic<bool> cancelled_ = false;
  bool caught_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  Stage stage_ = Stage::kIdle;
  std::function<Status()> work_;
  Status status_;
  std::thread thread_;
};

}  // namespace plait
