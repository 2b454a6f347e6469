#include "mapreduce/scheduler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

namespace plait::inline mapreduce {
namespace {

// Every slot runs its tasks to the end, looking ahead before every `every`th; the tasks that ran, by slot.
std::vector<std::vector<int64_t>> run_slots(Scheduler& scheduler, int64_t every) {
  std::vector<std::vector<int64_t>> ran(static_cast<size_t>(scheduler.slots()));
  std::vector<std::thread> threads;
  for (int slot = 0; slot < scheduler.slots(); ++slot) {
    threads.emplace_back([&, slot] {
      std::vector<int64_t>& mine = ran[static_cast<size_t>(slot)];
      int64_t wanted = Scheduler::kNone;
      for (int64_t task; (task = scheduler.task(slot)) != Scheduler::kNone; scheduler.done(slot)) {
        if (wanted != Scheduler::kNone) CHECK(task == wanted);
        wanted = static_cast<int64_t>(mine.size()) % every == 0 ? scheduler.ahead(slot) : Scheduler::kNone;
        CHECK(scheduler.task(slot) == task);
        mine.push_back(task);
      }
      CHECK(wanted == Scheduler::kNone);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return ran;
}

TEST_CASE("every task of a pass runs once, on the rank that it belongs to") {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int slots = 1; slots <= 3; ++slots) {
      for (const Scheduler::Tasks tasks : {Scheduler::Tasks{0, 0}, {0, 1}, {5, 2}, {3, 10}, {7, 10'000}}) {
        CAPTURE(ranks);
        CAPTURE(slots);
        CAPTURE(tasks.first);
        CAPTURE(tasks.count);
        std::vector<int64_t> all;
        for (int rank = 0; rank < ranks; ++rank) {
          Scheduler scheduler(rank, ranks);
          scheduler.begin(tasks, slots);
          CHECK(scheduler.slots() == std::min<int64_t>(slots, Scheduler::count_of(rank, ranks, tasks)));
          const auto ran = run_slots(scheduler, 1 + slots % 3);
          for (size_t slot = 0; slot < ran.size(); ++slot) {
            CHECK(ran[slot].front() == scheduler.first_of(static_cast<int>(slot)));
            for (int64_t task : ran[slot]) CHECK(task % ranks == rank);
            all.insert(all.end(), ran[slot].begin(), ran[slot].end());
          }
          CHECK(scheduler.outcome());
          const TaskCounters counters = scheduler.counters();
          CHECK(counters.tasks == Scheduler::count_of(rank, ranks, tasks));
          CHECK(counters.attempts == counters.tasks);
          CHECK(counters.done == counters.tasks);
        }
        std::sort(all.begin(), all.end());
        std::vector<int64_t> wanted(static_cast<size_t>(tasks.count));
        std::iota(wanted.begin(), wanted.end(), tasks.first);
        CHECK(all == wanted);
      }
    }
  }
}

TEST_CASE("of several failures that of the lowest task is told, and the next pass knows nothing of it") {
  Scheduler scheduler(0, 1);
  scheduler.begin({0, 10}, 2);
  CHECK_FALSE(scheduler.is_over());
  scheduler.fail(7, {Code::kPlugin, "of 7"});
  scheduler.fail(3, {Code::kNumeric, "of 3"});
  scheduler.fail(5, {Code::kPlugin, "of 5"});
  CHECK(scheduler.is_over());
  CHECK(scheduler.outcome().message() == "of 3");
  scheduler.begin({0, 0}, 2);
  CHECK_FALSE(scheduler.is_over());
  CHECK(scheduler.outcome());
}

TEST_CASE("tasks that were left when the rank was to stop are no success") {
  std::atomic<bool> cancelled = false;
  Scheduler scheduler(0, 1, &cancelled);
  scheduler.begin({0, 2}, 1);
  CHECK(scheduler.task(0) == 0);
  scheduler.done(0);
  cancelled = true;
  CHECK(scheduler.is_over());
  CHECK(scheduler.park());
  CHECK(scheduler.outcome().code() == Code::kStopped);
  CHECK(scheduler.counters().done == 1);
}

}  // namespace
}  // namespace plait::inline mapreduce
