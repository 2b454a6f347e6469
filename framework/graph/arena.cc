#include "graph/arena.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <plait/abi.h>

#include <algorithm>

namespace plait::inline graph {
namespace {

struct Pieces {
  uint64_t count, grain;
  int (*body)(void* user, uint64_t begin, uint64_t end);
  void* user;
  const std::atomic<bool>* cancelled;
  std::atomic<bool> failed{false};

  bool unwanted() const {
    return failed.load(std::memory_order_relaxed) ||
           (cancelled != nullptr && cancelled->load(std::memory_order_relaxed));
  }
  void run(uint64_t piece) {
    if (unwanted()) {
      failed.store(true, std::memory_order_relaxed);
      return;
    }
    const uint64_t begin = piece * grain;
    if (body(user, begin, std::min(count, begin + grain)) != PLAIT_OK)
      failed.store(true, std::memory_order_relaxed);
  }
};

void run_parallel(Pieces& pieces, uint64_t number) {
  const tbb::blocked_range<uint64_t> range(0, number, 1);
  const auto some = [&](const tbb::blocked_range<uint64_t>& part) {
    FloatState state;
    for (uint64_t piece = part.begin(); piece != part.end(); ++piece) pieces.run(piece);
  };
  tbb::this_task_arena::isolate([&] { tbb::parallel_for(range, some, tbb::simple_partitioner()); });
}

}  // namespace

int parallel_pieces(uint64_t count, uint64_t grain, int lanes, int (*body)(void*, uint64_t, uint64_t),
                    void* user, const std::atomic<bool>* cancelled) {
  if (count == 0) return PLAIT_OK;
  Pieces pieces{count, grain == 0 ? count : std::min(grain, count), body, user, cancelled};
  const uint64_t number = (count - 1) / pieces.grain + 1;
  if (lanes > 1 && number > 1) {
    run_parallel(pieces, number);
  } else {
    for (uint64_t piece = 0; piece < number && !pieces.failed; ++piece) pieces.run(piece);
  }
  return pieces.failed ? PLAIT_FAILED : PLAIT_OK;
}

}  // namespace plait::inline graph
