#include "train/stoppable_work.h"

#include <algorithm>
#include <utility>

namespace plait {
namespace {

// Pauses between two looks for a reason to stop.
constexpr std::chrono::milliseconds kFirstPause{1}, kLongestPause{20};

}  // namespace

StoppableWork::StoppableWork(Transport& transport) : transport_(transport), thread_([this] { serve(); }) {}

StoppableWork::~StoppableWork() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stage_ != Stage::kPosted; });
    stage_ = Stage::kEnding;
  }
  changed_.notify_all();
  thread_.join();
}

void StoppableWork::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stage_ == Stage::kPosted || stage_ == Stage::kEnding; });
    if (stage_ == Stage::kEnding) return;
    lock.unlock();
    Status status = work_();
    lock.lock();
    status_ = std::move(status);
    stage_ = Stage::kDone;
    changed_.notify_all();
  }
}

void StoppableWork::post(std::function<Status()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = std::move(work);
    stage_ = Stage::kPosted;
  }
  changed_.notify_all();
}

bool StoppableWork::is_done_within(Time::duration patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return stage_ == Stage::kDone; });
}

bool StoppableWork::look_for_stop() {
  if (cancelled_) return true;
  const bool own = transport_.wants_stop();
  if (own) transport_.tell_stop();
  if (own || transport_.is_told_to_stop()) cancelled_ = true;
  return cancelled_;
}

Status StoppableWork::run(std::function<Status()> work) {
  if (caught_ || look_for_stop()) return transport_.abandon();
  post(std::move(work));
  Time::time_point last = Time::time_point::max();
  for (Time::duration pause = kFirstPause; !is_done_within(pause);
       pause = std::min<Time::duration>(2 * pause, kLongestPause)) {
    if (last == Time::time_point::max() && look_for_stop()) last = Time::now() + kPatience;
    if ((caught_ = Time::now() >= last)) return transport_.abandon();
  }
  // Whole work is worth keeping: the next one stops.
  if (status_ || (!cancelled_ && status_.code() != Code::kStopped)) return status_;
  if (cancelled_) return transport_.abandon();
  return {Code::kPlugin, status_.message() + "; nobody had asked it to stop"};
}

}  // namespace plait
