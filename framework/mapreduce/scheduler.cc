#include "mapreduce/scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace plait::inline mapreduce {

// A cache line each: slots count their own.
struct alignas(64) Scheduler::Slot {
  int64_t task = kNone;
  int64_t claimed = kNone;  // after it
  bool is_begun = false;    // has had its first task
};

Scheduler::Scheduler(int rank, int ranks, const std::atomic<bool>* cancelled)
    : rank_(rank), ranks_(ranks), cancelled_(cancelled) {}

Scheduler::~Scheduler() = default;

namespace {

// From `task` on the first one that belongs to `rank`.
int64_t first_from(int64_t task, int rank, int ranks) { return task + (rank + ranks - task % ranks) % ranks; }

}  // namespace

int64_t Scheduler::count_of(int rank, int ranks, Tasks tasks) {
  const int64_t left = tasks.first + tasks.count - first_from(tasks.first, rank, ranks);
  return left <= 0 ? 0 : (left + ranks - 1) / ranks;
}

void Scheduler::begin(Tasks tasks, int slots) {
  first_ = first_from(tasks.first, rank_, ranks_);
  mine_ = count_of(rank_, ranks_, tasks);
  slots_ = static_cast<int>(std::min<int64_t>(slots, mine_));
  if (static_cast<size_t>(slots_) > capacity_) {
    capacity_ = static_cast<size_t>(slots_);
    states_ = std::make_unique<Slot[]>(capacity_);
  }
  std::fill_n(states_.get(), slots_, Slot());
  next_ = slots_;
  attempts_ = done_ = 0;
  parked_ = 0;
  failed_ = false;
  failed_task_ = kNone;
  failure_ = {};
}

int64_t Scheduler::claim() {
  const int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
  return i < mine_ ? first_ + i * ranks_ : kNone;
}

int64_t Scheduler::task(int index) {
  Slot& slot = states_[static_cast<size_t>(index)];
  if (slot.task != kNone) return slot.task;
  if (!std::exchange(slot.is_begun, true))
    slot.task = first_of(index);
  else
    slot.task = slot.claimed != kNone ? std::exchange(slot.claimed, kNone) : claim();
  if (slot.task != kNone) attempts_.fetch_add(1, std::memory_order_relaxed);
  return slot.task;
}

int64_t Scheduler::ahead(int index) {
  Slot& slot = states_[static_cast<size_t>(index)];
  assert(slot.task != kNone);
  if (slot.claimed == kNone) slot.claimed = claim();
  return slot.claimed;
}

void Scheduler::done(int index) {
  states_[static_cast<size_t>(index)].task = kNone;
  done_.fetch_add(1, std::memory_order_relaxed);
}

void Scheduler::fail(int64_t task, const Status& why) {
  const std::lock_guard lock(failure_mutex_);
  if (failed_task_ == kNone || task < failed_task_) {
    failed_task_ = task;
    failure_ = why;
  }
  failed_ = true;
}

bool Scheduler::is_over() const {
  return failed_.load(std::memory_order_relaxed) || (cancelled_ != nullptr && *cancelled_);
}

bool Scheduler::park() { return parked_.fetch_add(1) + 1 == slots_; }

Status Scheduler::outcome() const {
  const std::lock_guard lock(failure_mutex_);
  if (failed_) return failure_;
  return done_ == mine_ ? Status() : Status(Code::kStopped, "tasks were left");
}

TaskCounters Scheduler::counters() const { return {mine_, attempts_, done_}; }

}  // namespace plait::inline mapreduce
