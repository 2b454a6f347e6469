// The round graph: every slot runs its steps, one at a time, until it says that there are no more.
#include "graph/round_graph.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>

namespace plait {
namespace {

struct Counted : RoundGraph::Work {
  bool step(int slot) override {
    Slot& mine = slots[static_cast<size_t>(slot)];
    if (mine.busy.exchange(true)) overlapped = true;
    const bool more = ++mine.steps % (slot + 2) != 0;
    mine.busy = false;
    return more;
  }
  struct Slot {
    std::atomic<int> steps = 0;
    std::atomic<bool> busy = false;
  };
  std::array<Slot, 3> slots;
  std::atomic<bool> overlapped = false;
};

TEST_CASE("slots run their own number of steps, again in every run") {
  Counted work;
  RoundGraph graph(3, work);
  for (int run = 1; run <= 50; ++run) {
    graph.run();
    for (int slot = 0; slot < 3; ++slot)
      CHECK(work.slots[static_cast<size_t>(slot)].steps == run * (slot + 2));
  }
  CHECK_FALSE(work.overlapped);
}

TEST_CASE("a rank without slots has nothing to run") {
  Counted work;
  RoundGraph graph(0, work);
  graph.run();
  CHECK(work.slots[0].steps == 0);
}

}  // namespace
}  // namespace plait
