#include "graph/arena.h"

#include <doctest/doctest.h>
#include <oneapi/tbb/parallel_for.h>
#include <plait/abi.h>

#include <atomic>
#include <set>
#include <utility>
#include <vector>

#include "graph/node_order.h"

namespace plait::inline graph {
namespace {

struct Seen {
  std::vector<std::atomic<int>> count;
  std::atomic<int> bad{0}, pieces{0};
  uint64_t grain = 0;
  uint64_t fail_at = ~uint64_t{0};
  explicit Seen(size_t size) : count(size) {}
};

int see(void* user, uint64_t begin, uint64_t end) {
  Seen& seen = *static_cast<Seen*>(user);
  ++seen.pieces;
  if (begin % seen.grain != 0 || end > seen.count.size()) ++seen.bad;
  if (end - begin != seen.grain && end != seen.count.size()) ++seen.bad;
  for (uint64_t i = begin; i < end; ++i) ++seen.count[i];
  return begin <= seen.fail_at && seen.fail_at < end ? PLAIT_FAILED : PLAIT_OK;
}

int run(Seen& seen, uint64_t grain, int lanes, const std::atomic<bool>* cancelled = nullptr) {
  seen.grain = grain == 0 ? seen.count.size() : grain;
  Lanes arena(lanes);
  return arena.execute(
      [&] { return parallel_pieces(seen.count.size(), grain, lanes, see, &seen, cancelled); });
}

// 2^-126 / 2: zero when denormals are flushed.
bool flushes() {
  volatile float smallest = 0x1p-126f;
  return smallest * 0.5f == 0;
}

}  // namespace

TEST_CASE("pieces cover the range once, whatever the lanes") {
  for (int lanes : {1, 2, 3}) {
    for (uint64_t grain : {uint64_t{0}, uint64_t{1}, uint64_t{7}, uint64_t{100}, uint64_t{1000}}) {
      Seen seen(100);
      CHECK(run(seen, grain, lanes) == PLAIT_OK);
      CHECK(seen.bad == 0);
      for (const auto& count : seen.count) CHECK(count == 1);
    }
  }
  Seen nothing(0);
  CHECK(run(nothing, 4, 2) == PLAIT_OK);
  CHECK(nothing.pieces == 0);
}

TEST_CASE("a piece that fails, or a cancelled call, keeps others from beginning") {
  for (int lanes : {1, 2}) {
    Seen seen(100000);
    seen.fail_at = 0;
    CHECK(run(seen, 1, lanes) == PLAIT_FAILED);
    CHECK(seen.pieces < 100000);
    Seen stopped(100);
    const std::atomic<bool> cancelled{true};
    CHECK(run(stopped, 1, lanes, &cancelled) == PLAIT_FAILED);
    CHECK(stopped.pieces == 0);
  }
}

TEST_CASE("an arena has exactly its lanes, all with the fixed floating-point state") {
  const bool before = flushes();
  Lanes lanes(2);
  CHECK(lanes.count() == 2);
  std::atomic<int> most{0}, denormal{0};
  lanes.execute([&] {
    CHECK(flushes());
    tbb::parallel_for(0, 10000, [&](int) {
      const int thread = tbb::this_task_arena::current_thread_index();
      for (int seen = most; thread > seen && !most.compare_exchange_weak(seen, thread);) {
      }
      if (!flushes()) ++denormal;
    });
  });
  CHECK(most < 2);
  CHECK(denormal == 0);
  CHECK(flushes() == before);
}

TEST_CASE("edges follow from memory, and none is there twice over") {
  using Uses = std::vector<MemoryUse>;
  const auto writes = [](uint64_t begin, uint64_t end) {
    return MemoryUse{Space::kActivations, begin, end, true};
  };
  const auto reads = [](uint64_t begin, uint64_t end) {
    return MemoryUse{Space::kActivations, begin, end, false};
  };
  // 0 writes a; 1 and 2 read it and write b and c; 3 reads b and c and, as 0 did, writes a.
  const std::vector<Uses> uses{{writes(0, 4)},
                               {reads(0, 4), writes(4, 8)},
                               {reads(0, 4), writes(8, 12)},
                               {reads(4, 12), writes(0, 4)},
                               {{Space::kWeights, 0, 4, true}}};
  const std::vector<Edge> edges = memory_order(uses);
  const std::set<Edge> found(edges.begin(), edges.end());
  CHECK(edges.size() == 4);
  CHECK(found == std::set<Edge>{{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  CHECK(serial_order(3) == std::vector<Edge>{{0, 1}, {1, 2}});
  CHECK(serial_order(0).empty());
}

}  // namespace plait::inline graph
