// Long work of a rank that can be left: it runs on a thread of its own, while the transport's thread waits,
// does for it what only that thread may do, and looks for a reason to stop: this rank's own, or another
// rank's word.
//
// So a run stops at its next step, on every rank, and also while a source never comes back from reading. The
// thread that waits sleeps; it costs no core.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"

namespace plait::inline mapreduce {

// Threads: [one at a time], the transport's thread; cancelled() and hand_over [any].
class StoppableWork {
 public:
  // How long work that was cancelled is waited for.
  static constexpr std::chrono::seconds kPatience{1};

  // What work hands to the transport's thread. Lives until one of its two functions is called.
  class Call {
   public:
    virtual ~Call() = default;
    virtual void run() = 0;   // by the transport's thread; it may run other work
    virtual void drop() = 0;  // it is not run: the work has been left
  };

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

  // For work under way: `call` is run by the transport's thread, in the order of handing over.
  void hand_over(Call& call);

  // True when work that was cancelled has not come back in kPatience: its thread is still in it, and no more
  // work is taken.
  bool is_caught() const { return caught_; }

 private:
  using Time = std::chrono::steady_clock;
  class Thread;
  Thread& thread_of(size_t depth);
  bool is_done(const Thread& thread);
  Call* next_call(Thread& thread, Time::duration patience);
  bool look_for_stop();
  void leave();

  Transport& transport_;
  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;  // of what its threads share
  std::condition_variable changed_;
  bool caught_ = false;
  std::deque<Call*> calls_;                       // handed over, not yet begun
  std::vector<std::unique_ptr<Thread>> threads_;  // by depth: a call of work may run other work
  size_t depth_ = 0;
};

}  // namespace plait::inline mapreduce
