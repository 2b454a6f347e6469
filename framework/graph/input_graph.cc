#include <cassert>

#include "graph/batch_maker.h"

namespace plait {

struct InputGraph::Body {
  Body(const SampleReader& reader, const SampleOrder& order, Device& device, int batch, int threads,
       const Buckets* buckets, std::vector<PartRange> ranges)
      : lanes(threads), setup{reader,  order, device,  lanes, batch, std::move(ranges),
                              buckets, {},    nullptr, 0} {
    // One more than there are lanes: a thread that only hands something over may take a place of its own.
    for (int i = 0; i <= threads; ++i) setup.scratch.push_back(reader.make_scratch());
    if (reader.io_context() != nullptr) setup.io_scratch = reader.make_scratch();
  }
  BatchMaker& maker(int64_t number) { return *makers[static_cast<size_t>(number) % makers.size()]; }

  Lanes lanes;
  InputSetup setup;
  std::vector<std::unique_ptr<BatchMaker>> makers;
  int64_t started = 0, taken = 0;
};

InputGraph::InputGraph(std::unique_ptr<Body> body) : body_(std::move(body)) {}
InputGraph::~InputGraph() = default;

Result<std::unique_ptr<InputGraph>> InputGraph::create(const SampleReader& reader, const SampleOrder& order,
                                                       Device& device, int batch, int lanes, int buffers,
                                                       const Buckets* buckets,
                                                       std::vector<PartRange> ranges) {
  auto body = std::make_unique<Body>(reader, order, device, batch, lanes, buckets, std::move(ranges));
  for (int i = 0; i < buffers; ++i) {
    PLAIT_ASSIGN(auto maker, BatchMaker::create(body->setup));
    body->makers.push_back(std::move(maker));
  }
  return std::unique_ptr<InputGraph>(new InputGraph(std::move(body)));
}

void InputGraph::start(int64_t first_position) {
  assert(body_->started - body_->taken < static_cast<int64_t>(body_->makers.size()));
  body_->maker(body_->started++).start(first_position);
}

void InputGraph::prepare() {
  if (body_->taken < body_->started) body_->maker(body_->taken).prepare();
}

Result<const Batch*> InputGraph::take() {
  assert(body_->taken < body_->started);
  return body_->maker(body_->taken++).take();
}

int64_t InputGraph::skipped_records() const { return body_->setup.skipped; }

}  // namespace plait
