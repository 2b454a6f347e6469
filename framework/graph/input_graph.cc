#include "graph/input_graph.h"

#include "graph/batch_maker.h"

namespace plait::inline graph {

InputGraph::InputGraph() = default;
InputGraph::~InputGraph() = default;

Result<std::unique_ptr<InputGraph>> InputGraph::create(const SampleReader& reader, const SampleOrder& order,
                                                       Device& device, int batch, int lanes,
                                                       const Buckets* buckets,
                                                       std::vector<PartRange> ranges) {
  std::unique_ptr<InputGraph> graph(new InputGraph);
  graph->setup_ =
      std::make_unique<InputSetup>(reader, order, device, lanes, batch, std::move(ranges), buckets);
  PLAIT_ASSIGN(graph->setup_->there, DeviceOperators::create(reader.chain(), device, batch));
  for (auto& maker : graph->makers_) {
    PLAIT_ASSIGN(maker, BatchMaker::create(*graph->setup_));
  }
  return graph;
}

void InputGraph::want(int64_t first_position) {
  if (under_way_ != kNone) return;
  makers_[next_]->start(first_position);
  next_ = (next_ + 1) % makers_.size();
  under_way_ = first_position;
}

void InputGraph::prepare() {
  if (under_way_ != kNone) last_started().prepare();
}

Result<const Batch*> InputGraph::take(int64_t first_position) {
  if (under_way_ != kNone && under_way_ != first_position) PLAIT_TRY(finish().status());
  want(first_position);
  return finish();
}

Result<const Batch*> InputGraph::finish() {
  under_way_ = kNone;
  return last_started().take();
}

BatchMaker& InputGraph::last_started() { return *makers_[(next_ + makers_.size() - 1) % makers_.size()]; }

int64_t InputGraph::skipped_records() const { return setup_->skipped; }

}  // namespace plait::inline graph
