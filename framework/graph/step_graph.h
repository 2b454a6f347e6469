// A flow graph of nodes that are known beforehand, run again and again.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "graph/arena.h"
#include "graph/node_order.h"

namespace plait {

// Threads: [one at a time]
class StepGraph {
 public:
  // body(i) runs once per run for every i < nodes, after the bodies of all nodes with an edge to i, on some thread of
  // `lanes`. It must not throw. `lanes` must outlive the graph.
  StepGraph(Lanes& lanes, size_t nodes, const std::vector<Edge>& edges, std::function<void(size_t)> body);
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  // start, then wait.
  void run();
  // Begins a run; with one lane nothing happens before wait.
  void start();
  // Returns when all bodies have run; the calling thread helps.
  void wait();

 private:
  struct Flow;
  Lanes& lanes_;
  const std::function<void(size_t)> body_;
  std::unique_ptr<Flow> flow_;
};

}  // namespace plait
