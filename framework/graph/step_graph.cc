#include "graph/step_graph.h"

#include <oneapi/tbb/flow_graph.h>

#include <deque>

namespace plait {

struct StepGraph::Flow {
  using Node = tbb::flow::continue_node<tbb::flow::continue_msg>;
  tbb::flow::graph graph;
  std::deque<Node> nodes;
  std::vector<Node*> first;  // nodes that wait for none
};

StepGraph::StepGraph(Lanes& lanes, size_t nodes, const std::vector<Edge>& edges, std::function<void(size_t)> body)
    : lanes_(lanes), body_(std::move(body)) {
  // A graph runs in the arena that it was made in.
  lanes_.execute([&] {
    flow_ = std::make_unique<Flow>();
    for (size_t i = 0; i < nodes; ++i) {
      flow_->nodes.emplace_back(flow_->graph, [this, i](const tbb::flow::continue_msg&) { body_(i); });
    }
    std::vector<bool> waits(nodes);
    for (const auto& [from, to] : edges) {
      tbb::flow::make_edge(flow_->nodes[from], flow_->nodes[to]);
      waits[to] = true;
    }
    for (size_t i = 0; i < nodes; ++i) {
      if (!waits[i]) flow_->first.push_back(&flow_->nodes[i]);
    }
  });
}

StepGraph::~StepGraph() {
  lanes_.execute([&] { flow_.reset(); });
}

void StepGraph::run() {
  lanes_.execute([&] {
    for (Flow::Node* node : flow_->first) node->try_put({});
    flow_->graph.wait_for_all();
  });
}

void StepGraph::start() {
  lanes_.execute([&] {
    for (Flow::Node* node : flow_->first) node->try_put({});
  });
}

void StepGraph::wait() {
  lanes_.execute([&] { flow_->graph.wait_for_all(); });
}

}  // namespace plait
