// A flow graph of nodes that are known beforehand, run again and again.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "graph/arena.h"
#include "graph/node_order.h"

namespace plait::inline graph {

// Threads: [one at a time]
class StepGraph {
 public:
  // Told when the work of a node that goes on elsewhere is finished.
  class Continuation {
   public:
    virtual ~Continuation() = default;
    virtual void done() = 0;  // once per run; from any thread
  };

  // body(i) runs once per run for every i < nodes, after the bodies of all nodes with an edge to i, on some
  // thread of `lanes`. It must not throw. `lanes` must outlive the graph. The first `elsewhere` nodes have no
  // body: hand_over(i, continuation) hands their work to some other thread and returns; nodes after them
  // wait for continuation.done(). No edge leads to them.
  using HandOver = std::function<void(size_t node, Continuation& continuation)>;
  StepGraph(Lanes& lanes, size_t nodes, const std::vector<Edge>& edges, std::function<void(size_t)> body,
            size_t elsewhere = 0, HandOver hand_over = {});
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  // start, then wait.
  void run();
  // Begins a run; with one lane no body runs before wait.
  void start();
  // Returns when all bodies have run; the calling thread helps.
  void wait();

 private:
  struct Flow;
  Lanes& lanes_;
  const std::function<void(size_t)> body_;
  const HandOver hand_over_;
  std::unique_ptr<Flow> flow_;
};

}  // namespace plait::inline graph
