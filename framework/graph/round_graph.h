// The round graph of one rank: a flow-graph node per slot, where a slot is a replica that works through map
// tasks.
//
// One step of one task is one message and so one TBB task: nothing holds a worker for a whole task, and
// between steps a worker may turn to something else. When every slot has no more to do, run() returns to the
// thread that called it, which does the reduce and the outer step itself: collectives belong to the thread
// that began the transport.
#pragma once
#include <memory>

namespace plait {

class RoundGraph {
 public:
  // What the slots do.
  class Work {
   public:
    virtual ~Work() = default;
    // One step of whatever `slot` is on; false when the slot has no more to do in this run.
    // Threads: slots run at once; one slot [one at a time].
    virtual bool step(int slot) = 0;
  };

  // `slots` slots on as many threads, the caller of run among them. `work` outlives the graph.
  // Threads: [setup only]
  RoundGraph(int slots, Work& work);
  ~RoundGraph();
  int slots() const { return slots_; }

  // Runs every slot until it has no more to do. After the first run nothing allocates.
  // Threads: [one at a time]
  void run();

 private:
  struct Body;
  int slots_;
  std::unique_ptr<Body> body_;
};

}  // namespace plait
