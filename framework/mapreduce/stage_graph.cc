#include "mapreduce/stage_graph.h"

#include <oneapi/tbb/flow_graph.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/trace.h"
#include "graph/arena.h"

namespace plait::inline mapreduce {
namespace {

using tbb::flow::unlimited;

struct Token {  // the slot may take a step
  int slot = 0;
};
struct Mapped {
  int slot = 0;
  const MapResult* result = nullptr;
};
struct PassMessage {
  const PassResult* result = nullptr;  // null before the reduce
};

using StartNode = tbb::flow::multifunction_node<PassMessage, std::tuple<Token, PassMessage>>;
using MapNode = tbb::flow::multifunction_node<Token, std::tuple<Token, Mapped, PassMessage>>;
// Light and noexcept: they run at once on the thread that sends to them. So what follows the reduce goes from
// node to node without leaving the transport's thread.
using CombineNode = tbb::flow::function_node<Mapped, Token, tbb::flow::lightweight>;
using TransportNode = tbb::flow::async_node<PassMessage, PassMessage, tbb::flow::lightweight>;

}  // namespace

struct StageGraph::Body {
  Body(StageWork& stage_work, std::vector<StageNode> stage_nodes, int threads, Scheduler& tasks,
       StoppableWork& stoppable)
      : stage(stage_work),
        nodes(std::move(stage_nodes)),
        scheduler(tasks),
        work(stoppable),
        lanes(std::max(1, threads)) {
    lanes.execute([&] { build(); });
  }
  ~Body() {
    lanes.execute([&] { on_transport.clear(), combine.reset(), map.reset(), start.reset(), graph.reset(); });
  }

  using TransportCall = std::function<Status(PassMessage&)>;

  // A node on the transport's thread. Only one of them is on its way at a time.
  struct Handed final : StoppableWork::Call {
    Handed(Body& of, std::string title, TransportCall what)
        : body(of), name(std::move(title)), call(std::move(what)) {}
    void run() override {
      {
        const TraceSpan span("stage", name, body.pass);
        body.status = call(message);
      }
      if (body.status && !body.is_finished) gateway->try_put(message);
      gateway->release_wait();
    }
    void drop() override { gateway->release_wait(); }
    Body& body;
    const std::string name;
    TransportCall call;
    PassMessage message;
    TransportNode::gateway_type* gateway = nullptr;
  };

  void build() {
    graph = std::make_unique<tbb::flow::graph>();
    start = std::make_unique<StartNode>(*graph, unlimited,
                                        [this](PassMessage message, StartNode::output_ports_type& ports) {
                                          // Once: after the last token the next pass may begin.
                                          const int slots = scheduler.slots();
                                          if (slots == 0) std::get<1>(ports).try_put(message);
                                          for (int slot = 0; slot < slots; ++slot)
                                            std::get<0>(ports).try_put({slot});
                                        });
    map = std::make_unique<MapNode>(
        *graph, unlimited,
        [this](Token token, MapNode::output_ports_type& ports) { map_step(token.slot, ports); });
    combine = std::make_unique<CombineNode>(
        *graph, unlimited, [this](const Mapped& mapped) noexcept { return combined(mapped); });
    make_edge(output_port<0>(*start), *map);
    make_edge(output_port<0>(*map), *map);
    make_edge(output_port<1>(*map), *combine);
    make_edge(*combine, *map);
    TransportNode& reduce = add("reduce", [this](PassMessage& message) { return reduced(message); });
    make_edge(output_port<1>(*start), reduce);
    make_edge(output_port<2>(*map), reduce);
    for (const StageNode& node : nodes) {
      append(node.name, [&node](PassMessage& message) { return node.run(*message.result); });
    }
    append("next pass", [this](PassMessage& message) { return next_pass(message); });
    make_edge(*on_transport.back(), *start);
  }

  TransportNode& add(const std::string& name, TransportCall call) {
    handed.push_back(std::make_unique<Handed>(*this, name, std::move(call)));
    Handed& mine = *handed.back();
    on_transport.push_back(std::make_unique<TransportNode>(
        *graph, unlimited, [this, &mine](PassMessage message, TransportNode::gateway_type& gateway) noexcept {
          mine.message = message;
          mine.gateway = &gateway;
          gateway.reserve_wait();
          work.hand_over(mine);
        }));
    return *on_transport.back();
  }
  void append(const std::string& name, TransportCall call) {
    TransportNode& before = *on_transport.back();
    make_edge(before, add(name, std::move(call)));
  }

  void map_step(int slot, MapNode::output_ports_type& ports) {
    FloatState state;
    const int64_t task = scheduler.is_over() ? Scheduler::kNone : scheduler.task(slot);
    if (task != Scheduler::kNone) {
      const Result<const MapResult*> result = mapped(slot, task);
      if (result && *result == nullptr) {
        std::get<0>(ports).try_put({slot});
        return;
      }
      if (result) {
        std::get<1>(ports).try_put({slot, *result});
        return;
      }
      scheduler.fail(task, result.status());
    }
    if (scheduler.park()) std::get<2>(ports).try_put({});
  }

  Result<const MapResult*> mapped(int slot, int64_t task) {
    const TraceSpan span("map", "step", task);
    return stage.map(slot, task);
  }

  Token combined(const Mapped& mapped) {
    FloatState state;
    const TraceSpan span("combine", "combine", mapped.result->task);
    const Status done = stage.combine(mapped.slot, *mapped.result);
    if (done)
      scheduler.done(mapped.slot);
    else
      scheduler.fail(mapped.result->task, done);
    return {mapped.slot};
  }

  Status reduced(PassMessage& message) {
    PLAIT_TRY(scheduler.outcome());
    PLAIT_ASSIGN(message.result, stage.reduce());
    return {};
  }

  Status next_pass(PassMessage& message) {
    message = {};
    is_finished = stage.is_finished();
    return is_finished ? Status() : begin(pass + 1);
  }

  Status begin(int64_t number) {
    pass = number;
    PLAIT_ASSIGN(const StageWork::Pass wanted, stage.begin(number));
    scheduler.begin(wanted.tasks, wanted.slots);
    return {};
  }

  Status run() {
    lanes.execute([this] {
      start->try_put({});
      graph->wait_for_all();
    });
    return status;
  }

  StageWork& stage;
  const std::vector<StageNode> nodes;
  Scheduler& scheduler;
  StoppableWork& work;
  Lanes lanes;
  std::unique_ptr<tbb::flow::graph> graph;
  std::unique_ptr<StartNode> start;
  std::unique_ptr<MapNode> map;
  std::unique_ptr<CombineNode> combine;
  std::vector<std::unique_ptr<Handed>> handed;
  std::vector<std::unique_ptr<TransportNode>> on_transport;  // reduce, the stage's nodes, the next pass
  int64_t pass = 0;
  bool is_finished = false;
  Status status;
};

StageGraph::StageGraph(StageWork& stage, std::vector<StageNode> nodes, int threads, Scheduler& scheduler,
                       StoppableWork& work)
    : body_(std::make_unique<Body>(stage, std::move(nodes), threads, scheduler, work)) {}

StageGraph::~StageGraph() = default;

Status StageGraph::run(int64_t first_pass) {
  body_->status = {};
  body_->is_finished = false;
  PLAIT_TRY(body_->begin(first_pass));
  return body_->work.run([this] { return body_->run(); });
}

}  // namespace plait::inline mapreduce
