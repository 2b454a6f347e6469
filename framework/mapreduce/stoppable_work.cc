#include "mapreduce/stoppable_work.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace plait::inline mapreduce {
namespace {

// Pauses between two looks for a reason to stop.
constexpr std::chrono::milliseconds kFirstPause{1}, kLongestPause{20};

}  // namespace

// Does one piece of work at a time.
class StoppableWork::Thread {
 public:
  explicit Thread(StoppableWork& owner) : owner_(owner), thread_([this] { serve(); }) {}
  ~Thread() {
    {
      std::unique_lock lock(owner_.mutex_);
      owner_.changed_.wait(lock, [this] { return stage_ != Stage::kPosted; });
      stage_ = Stage::kEnding;
    }
    owner_.changed_.notify_all();
    thread_.join();
  }

  void post(std::function<Status()> work) {
    {
      const std::lock_guard lock(owner_.mutex_);
      work_ = std::move(work);
      stage_ = Stage::kPosted;
    }
    owner_.changed_.notify_all();
  }
  bool is_done() const { return stage_ == Stage::kDone; }  // under the owner's lock
  // Once it is done.
  const Status& status() const { return status_; }

 private:
  enum class Stage { kIdle, kPosted, kDone, kEnding };
  void serve() {
    std::unique_lock lock(owner_.mutex_);
    for (;;) {
      owner_.changed_.wait(lock, [this] { return stage_ == Stage::kPosted || stage_ == Stage::kEnding; });
      if (stage_ == Stage::kEnding) return;
      lock.unlock();
      Status status = work_();
      lock.lock();
      status_ = std::move(status);
      stage_ = Stage::kDone;
      owner_.changed_.notify_all();
    }
  }

  StoppableWork& owner_;
  Stage stage_ = Stage::kIdle;
  std::function<Status()> work_;
  Status status_;
  std::thread thread_;
};

StoppableWork::StoppableWork(Transport& transport) : transport_(transport) {}
StoppableWork::~StoppableWork() = default;

StoppableWork::Thread& StoppableWork::thread_of(size_t depth) {
  if (depth == threads_.size()) threads_.push_back(std::make_unique<Thread>(*this));
  return *threads_[depth];
}

void StoppableWork::hand_over(Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!caught_) {
      calls_.push_back(&call);
      changed_.notify_all();
      return;
    }
  }
  call.drop();
}

// A call, or null when the work is done or patience ends.
StoppableWork::Call* StoppableWork::next_call(Thread& thread, Time::duration patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return thread.is_done() || !calls_.empty(); });
  if (calls_.empty()) return nullptr;
  Call* const call = calls_.front();
  calls_.pop_front();
  return call;
}

bool StoppableWork::is_done(const Thread& thread) {
  const std::lock_guard lock(mutex_);
  return thread.is_done();
}

bool StoppableWork::look_for_stop() {
  if (cancelled_) return true;
  const bool own = transport_.wants_stop();
  if (own) transport_.tell_stop();
  if (own || transport_.is_told_to_stop()) cancelled_ = true;
  return cancelled_;
}

void StoppableWork::leave() {
  std::deque<Call*> left;
  {
    const std::lock_guard lock(mutex_);
    caught_ = true;
    left.swap(calls_);
  }
  for (Call* call : left) call->drop();
}

Status StoppableWork::run(std::function<Status()> work) {
  if (caught_ || look_for_stop()) return transport_.abandon();
  Thread& thread = thread_of(depth_);
  const int64_t stops = transport_.stops();
  thread.post(std::move(work));
  Time::time_point last = Time::time_point::max();
  for (Time::duration pause = kFirstPause; !is_done(thread);) {
    if (Call* const call = next_call(thread, pause)) {
      ++depth_;
      call->run();
      --depth_;
      pause = kFirstPause;
    } else {
      pause = std::min<Time::duration>(2 * pause, kLongestPause);
    }
    if (last == Time::time_point::max() && look_for_stop()) last = Time::now() + kPatience;
    if (Time::now() < last) continue;
    leave();
    return transport_.abandon();
  }
  // Whole work is worth keeping: the next one stops.
  const Status status = thread.status();
  if (status || transport_.stops() > stops) return status;
  if (cancelled_) return transport_.abandon();
  if (status.code() != Code::kStopped) return status;
  return {Code::kPlugin, status.message() + "; nobody had asked it to stop"};
}

}  // namespace plait::inline mapreduce
