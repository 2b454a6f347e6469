// Who runs which task: one scheduler for every stage.
//
// A pass of a stage has tasks, numbered one after the other. Task t belongs to rank t mod ranks; ranks beyond
// the tasks are spares. A rank's slots (workers, each with buffers of its own) claim its tasks one after the
// other, so that a slot that is slow takes fewer. Which rank, slot or moment a task meets decides nothing of
// its result.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/status.h"

namespace plait::inline mapreduce {

// Of one rank in one pass.
struct TaskCounters {
  int64_t tasks = 0;     // that belong to it
  int64_t attempts = 0;  // begun
  int64_t done = 0;      // their results are in the rank's
};

// Threads: begin [one at a time], while no slot is at work; slots at once, one slot [one at a time].
class Scheduler {
 public:
  static constexpr int64_t kNone = -1;

  // `cancelled`: see is_over; null: never. It outlives the scheduler.
  Scheduler(int rank, int ranks, const std::atomic<bool>* cancelled = nullptr);
  ~Scheduler();

  // Tasks [first, first + count), of all ranks.
  struct Tasks {
    int64_t first = 0;
    int64_t count = 0;
  };
  // How many of them belong to `rank`.
  static int64_t count_of(int rank, int ranks, Tasks tasks);

  // A new pass. `slots` is cut to the tasks that this rank has.
  void begin(Tasks tasks, int slots);
  int slots() const { return slots_; }

  // The task that the slot is on; its next one where it has none under way; kNone when it has no more.
  int64_t task(int slot);
  // The task that comes after the slot's present one, from then on this slot's own: what it needs can be
  // prepared. kNone when there is none.
  int64_t ahead(int slot);
  // The task that the slot begins every pass with that has these tasks.
  int64_t first_of(int slot) const { return first_ + static_cast<int64_t>(slot) * ranks_; }
  // The slot's task is done, and its result combined.
  void done(int slot);
  // The pass has failed. Of several failures that of the lowest task is kept.
  void fail(int64_t task, const Status& why);

  // Slots begin no step any more: a task has failed, or *cancelled.
  bool is_over() const;
  // A slot takes no task any more. True for the last slot of the pass.
  bool park();

  // After the last slot has parked. Fails with: the failure; kStopped when tasks were left.
  Status outcome() const;
  TaskCounters counters() const;

 private:
  struct Slot;
  int64_t claim();

  int rank_;
  int ranks_;
  const std::atomic<bool>* cancelled_;
  int slots_ = 0;
  int64_t first_ = 0;  // of this rank's tasks
  int64_t mine_ = 0;   // how many
  std::unique_ptr<Slot[]> states_;
  size_t capacity_ = 0;
  std::atomic<int64_t> next_ = 0;  // of this rank's tasks, not yet claimed
  std::atomic<int64_t> attempts_ = 0, done_ = 0;
  std::atomic<int> parked_ = 0;
  std::atomic<bool> failed_ = false;
  mutable std::mutex failure_mutex_;
  int64_t failed_task_ = kNone;
  Status failure_;
};

}  // namespace plait::inline mapreduce
