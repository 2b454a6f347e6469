#include "graph/round_graph.h"

#include <oneapi/tbb/flow_graph.h>

#include <tuple>
#include <vector>

#include "graph/arena.h"

namespace plait {
namespace {

using tbb::flow::continue_msg;
// Port 0 leads back to the node: the next step of the same slot.
using SlotNode = tbb::flow::multifunction_node<continue_msg, std::tuple<continue_msg>>;

}  // namespace

struct RoundGraph::Body {
  Body(int slots, Work& work) : lanes(slots) {
    lanes.execute([&] {
      graph = std::make_unique<tbb::flow::graph>();
      begin = std::make_unique<tbb::flow::broadcast_node<continue_msg>>(*graph);
      for (int slot = 0; slot < slots; ++slot) add(slot, work);
    });
  }
  ~Body() {
    lanes.execute([&] { nodes.clear(), begin.reset(), graph.reset(); });
  }

  void add(int slot, Work& work) {
    nodes.push_back(std::make_unique<SlotNode>(
        *graph, tbb::flow::unlimited, [slot, &work](continue_msg, SlotNode::output_ports_type& ports) {
          FloatState state;
          if (work.step(slot)) std::get<0>(ports).try_put(continue_msg());
        }));
    tbb::flow::make_edge(*begin, *nodes.back());
    tbb::flow::make_edge(tbb::flow::output_port<0>(*nodes.back()), *nodes.back());
  }

  Lanes lanes;
  std::unique_ptr<tbb::flow::graph> graph;
  std::unique_ptr<tbb::flow::broadcast_node<continue_msg>> begin;
  std::vector<std::unique_ptr<SlotNode>> nodes;
};

RoundGraph::RoundGraph(int slots, Work& work) : slots_(slots) {
  if (slots > 0) body_ = std::make_unique<Body>(slots, work);
}

RoundGraph::~RoundGraph() = default;

void RoundGraph::run() {
  if (!body_) return;
  body_->lanes.execute([this] {
    body_->begin->try_put(continue_msg());
    body_->graph->wait_for_all();
  });
}

}  // namespace plait
