// The flow graph of one stage on one rank. Its edges carry results:
//
//   map ──result──► combine ──the rank's──► reduce ──everybody's──► nodes of the stage ──► next pass
//    ▲ └──step──┘ │
//    └────slot────┘
//
// One step of one task is one message, and so one TBB task: nothing holds a thread for a whole task. map and
// combine run in an arena of the rank's threads. reduce and the stage's own nodes call collectives, and so
// run on the transport's thread, to which the graph hands them; it looks for a reason to stop meanwhile.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "mapreduce/scheduler.h"
#include "mapreduce/stoppable_work.h"

namespace plait::inline mapreduce {

// What a task gives. It lives in a buffer of the slot that made it, until it is combined.
struct MapResult {
  virtual ~MapResult() = default;
  int64_t task = Scheduler::kNone;
};

// What a pass gives, the same on all ranks. It lives in the stage, until the next pass begins.
struct PassResult {
  virtual ~PassResult() = default;
};

// What the nodes of a stage do. A failure of any of them ends the stage.
class StageWork {
 public:
  struct Pass {
    Scheduler::Tasks tasks;
    int slots = 0;  // at most this many of this rank's tasks at once
  };
  virtual ~StageWork() = default;

  // Makes ready for pass `number`; no task is under way. Threads: the transport's
  virtual Result<Pass> begin(int64_t number) = 0;
  // One step of a task: its result when that was the last one, null when another is wanted.
  // Threads: slots at once; one slot [one at a time]
  virtual Result<const MapResult*> map(int slot, int64_t task) = 0;
  // Folds a result into the rank's own, in any order. Threads: [any], at once
  virtual Status combine(int slot, const MapResult& result) = 0;
  // Makes one result of those of all ranks. Threads: the transport's
  virtual Result<const PassResult*> reduce() = 0;
  // After the stage's last node: does it want another pass? Threads: the transport's
  virtual bool is_finished() = 0;
};

// What follows the reduce: "outer step", "evaluate", "checkpoint". Threads: the transport's
struct StageNode {
  std::string name;
  std::function<Status(const PassResult&)> run;
};

class StageGraph {
 public:
  // `threads`: that map and combine may run on. All that is given outlives the graph, and the graph and all
  // that it refers to outlive `work`, if that is caught in it.
  // Threads: [setup only]
  StageGraph(StageWork& stage, std::vector<StageNode> nodes, int threads, Scheduler& scheduler,
             StoppableWork& work);
  ~StageGraph();

  // Passes from number `first_pass` on, until the stage has finished.
  // Fails with: the failure of a node, of the lowest task that failed; kStopped on all ranks.
  // Threads: [one at a time], the transport's thread
  Status run(int64_t first_pass = 0);

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline mapreduce
