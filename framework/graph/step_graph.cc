#include "graph/step_graph.h"

#include <oneapi/tbb/flow_graph.h>

#include <deque>

namespace plait::inline graph {

using tbb::flow::continue_msg;

struct StepGraph::Flow {
  using Node = tbb::flow::continue_node<continue_msg>;
  using AsyncNode = tbb::flow::async_node<continue_msg, continue_msg>;

  // While work goes on elsewhere the gateway keeps the graph from ending.
  struct Elsewhere final : Continuation {
    AsyncNode::gateway_type* gateway = nullptr;
    void done() override {
      gateway->try_put({});
      gateway->release_wait();
    }
  };

  void add_async(size_t number, const HandOver& hand_over) {
    Elsewhere& continuation = continuations.emplace_back();
    asyncs.emplace_back(
        graph, tbb::flow::unlimited,
        [&continuation, &hand_over, number](const continue_msg&, AsyncNode::gateway_type& gateway) {
          gateway.reserve_wait();
          continuation.gateway = &gateway;
          hand_over(number, continuation);
        });
  }
  void connect(size_t from, size_t to) {
    if (from < asyncs.size()) {
      tbb::flow::make_edge(tbb::flow::output_port<0>(asyncs[from]), nodes[to - asyncs.size()]);
    } else {
      tbb::flow::make_edge(nodes[from - asyncs.size()], nodes[to - asyncs.size()]);
    }
  }
  void start() {
    for (AsyncNode& node : asyncs) node.try_put({});
    for (Node* node : first) node->try_put({});
  }

  tbb::flow::graph graph;
  std::deque<Elsewhere> continuations;
  std::deque<AsyncNode> asyncs;
  std::deque<Node> nodes;
  std::vector<Node*> first;  // nodes that wait for none
};

StepGraph::StepGraph(Lanes& lanes, size_t nodes, const std::vector<Edge>& edges,
                     std::function<void(size_t)> body, size_t elsewhere, HandOver hand_over)
    : lanes_(lanes), body_(std::move(body)), hand_over_(std::move(hand_over)) {
  // A graph runs in the arena that it was made in.
  lanes_.execute([&] {
    flow_ = std::make_unique<Flow>();
    for (size_t i = 0; i < elsewhere; ++i) flow_->add_async(i, hand_over_);
    for (size_t i = elsewhere; i < nodes; ++i) {
      flow_->nodes.emplace_back(flow_->graph, [this, i](const continue_msg&) { body_(i); });
    }
    std::vector<bool> waits(nodes);
    for (const auto& [from, to] : edges) {
      flow_->connect(from, to);
      waits[to] = true;
    }
    for (size_t i = elsewhere; i < nodes; ++i) {
      if (!waits[i]) flow_->first.push_back(&flow_->nodes[i - elsewhere]);
    }
  });
}

StepGraph::~StepGraph() {
  lanes_.execute([&] {
    flow_->graph.wait_for_all();
    flow_.reset();
  });
}

void StepGraph::run() {
  lanes_.execute([&] {
    flow_->start();
    flow_->graph.wait_for_all();
  });
}

void StepGraph::start() {
  lanes_.execute([&] { flow_->start(); });
}

void StepGraph::wait() {
  lanes_.execute([&] { flow_->graph.wait_for_all(); });
}

}  // namespace plait::inline graph
