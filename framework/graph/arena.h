// Where work runs: arenas of an exact number of threads.
//
// A kernel's bits depend on the number of threads of the arena that it was made in, so plans are compiled and
// replicas run in arenas of `lanes` threads, a number from the pipeline file. Nothing here limits the whole
// process (global_control): arenas do.
#pragma once
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstdint>

#include "base/status.h"
#include "graph/float_state.h"

namespace plait::inline graph {

// An arena of exactly `count` threads, the caller of execute among them. With 1 everything runs on the
// caller.
// Threads: [any]
class Lanes {
 public:
  explicit Lanes(int count) : arena_(count, 1) {
    // Threads of an arena compute as its maker did: see float_state.h.
    FloatState state;
    arena_.initialize();
  }
  int count() const { return arena_.max_concurrency(); }

  // Runs function() in the arena and returns what it returns. It must not throw.
  template <class Function>
  auto execute(Function&& function) {
    return arena_.execute([&] {
      FloatState state;
      return function();
    });
  }

 private:
  tbb::task_arena arena_;
};

// The ParallelFor of contexts (registry/context.h): the pieces of [0, count), each `grain` long but for the
// last (0: one piece), run by the threads of the current arena. Which pieces there are depends on count and
// grain only. A piece that fails, or *cancelled, keeps pieces that have not begun from beginning; then the
// answer is PLAIT_FAILED.
// Threads: [any], inside Lanes::execute.
int parallel_pieces(uint64_t count, uint64_t grain, int lanes,
                    int (*body)(void* user, uint64_t begin, uint64_t end), void* user,
                    const std::atomic<bool>* cancelled);

// Runs call() so that, while it waits for tasks of its own, its thread takes no others: a plugin is never
// entered again from the middle of one of its calls.
template <class Function>
auto isolated(int lanes, Function&& call) {
  if (lanes == 1) return call();
  return tbb::this_task_arena::isolate(call);
}

}  // namespace plait::inline graph
