#include "graph/batch_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/trace.h"
#include "graph/sample_cast.h"
#include "registry/shape_text.h"

namespace plait::inline graph {

Result<std::unique_ptr<BatchMaker>> BatchMaker::create(InputSetup& setup) {
  std::unique_ptr<BatchMaker> maker(new BatchMaker(setup));
  PLAIT_ASSIGN(maker->stream_, Stream::create(setup.device, 1, nullptr));
  const bool whole_batches = std::ranges::any_of(maker->chain_.operators(), &ChainOperator::whole_batches);
  PLAIT_ASSIGN(maker->memory_, BatchMemory::create(maker->chain_.collated_parts(maker->here()), setup.batch,
                                                   *maker->stream_, whole_batches));
  if (!setup.there->all().empty()) {
    PLAIT_ASSIGN(maker->stages_, DeviceStages::create(*setup.there, setup.batch, *maker->stream_));
    maker->stand_ins_.resize(maker->samples_.size());
  }
  maker->make_raw_memory();
  PLAIT_TRY(maker->make_workspace());
  maker->make_graph();
  return maker;
}

// A source that gives records in order is asked in order over the whole batch.
BatchMaker::BatchMaker(InputSetup& setup)
    : setup_(setup),
      chain_(setup.reader.chain()),
      samples_(static_cast<size_t>(setup.batch)),
      reading_order_(samples_.size()) {
  if (chain_.in_order()) chunk_samples_ = samples_.size();
  chunks_ = (samples_.size() + chunk_samples_ - 1) / chunk_samples_;
}

BatchMaker::~BatchMaker() = default;

void BatchMaker::make_raw_memory() {
  if (!reads_elsewhere()) return;
  const uint64_t bytes = SampleLevel(chain_.source_parts()).bytes();
  for (size_t i = 0; i < samples_.size(); ++i) raw_.emplace_back(bytes);
  for (size_t i = 0; i < chunks_; ++i) reads_.push_back(std::make_unique<ChunkRead>(*this, i));
}

Status BatchMaker::make_workspace() {
  uint64_t most = 0;
  for (const ChainOperator& op : chain_.operators()) {
    if (!op.whole_batches) continue;
    PLAIT_ASSIGN(const uint64_t bytes, op.workspace_bytes(static_cast<int64_t>(samples_.size())));
    most = std::max(most, bytes);
  }
  workspace_ = HostBlock(most);
  return {};
}

// Nodes: the readings elsewhere, where there are any; the chunks; the end.
void BatchMaker::make_graph() {
  const size_t elsewhere = reads_.size(), last = elsewhere + chunks_;
  std::vector<Edge> edges;
  for (size_t i = 0; i < elsewhere; ++i) edges.emplace_back(i, elsewhere + i);
  for (size_t i = 0; i < chunks_; ++i) edges.emplace_back(elsewhere + i, last);
  graph_ = std::make_unique<StepGraph>(
      setup_.lanes, last + 1, edges, [this](size_t number) { run_node(number); }, elsewhere,
      [this](size_t number, StepGraph::Continuation& continuation) {
        reads_[number]->continuation = &continuation;
        setup_.reader.io_context()->post(*reads_[number]);
      });
}

void BatchMaker::start(int64_t first_position) {
  memory_->batch().first_position = first_position;
  if (stages_) stages_->batch().first_position = first_position;
  for (size_t i = 0; i < samples_.size(); ++i) {
    Sample& sample = samples_[i];
    sample.ref = sample.stands = setup_.order.sample(first_position + static_cast<int64_t>(i));
    sample.attempts = 0;
    if (!sample.status) sample.status = {};
  }
  if (chain_.in_order()) {
    std::iota(reading_order_.begin(), reading_order_.end(), size_t{0});
    std::ranges::sort(reading_order_, {}, [&](size_t place) { return samples_[place].ref.record; });
  }
  memory_->begin();
  graph_->start();
}

Result<const Batch*> BatchMaker::take() {
  graph_->wait();
  if (!finished_) return std::exchange(finished_, Status());
  return static_cast<const Batch*>(stages_ ? &stages_->batch() : &memory_->batch());
}

size_t BatchMaker::chunk_end(size_t chunk) const {
  return std::min(samples_.size(), chunk_begin(chunk) + chunk_samples_);
}

SampleScratch& BatchMaker::own_scratch() {
  return *setup_.scratch[static_cast<size_t>(tbb::this_task_arena::current_thread_index())];
}

void BatchMaker::run_node(size_t number) {
  const FloatState state;
  const size_t chunk = number - reads_.size();
  const TraceSpan span("input",
                       chunk == chunks_    ? "finish batch"
                       : reads_elsewhere() ? "transform"
                                           : "read",
                       samples_.front().ref.record);
  if (chunk == chunks_) {
    finished_ = finish_batch();
    return;
  }
  SampleScratch& scratch = own_scratch();
  for (size_t place = chunk_begin(chunk); place < chunk_end(chunk); ++place)
    fill(place, reads_elsewhere(), scratch);
  FloatState::repair();
}

void BatchMaker::fill(size_t place, bool read, SampleScratch& scratch) {
  Sample& sample = samples_[place];
  if (!sample.status) return;  // the source refused it
  const int slot = static_cast<int>(place);
  Status status;
  do {
    scratch.lay(raw_.empty() ? nullptr : raw_[place].data());
    if (raw_.empty() || here() > 0) chain_.aim(slot, memory_->parts(), scratch, here());
    status = read ? Status() : chain_.read_source(sample.stands, scratch);
    read = false;
    if (status) status = chain_.transform(sample.stands, scratch, here());
  } while (!status && replace(sample, status));
  if (status) chain_.collate(slot, memory_->parts(), memory_->extents(), scratch, here());
}

void BatchMaker::ChunkRead::run() {
  const FloatState state;
  const TraceSpan span("input", "read", static_cast<int64_t>(chunk));
  maker.read_raw_chunk(chunk);
  continuation->done();
}

// The graph waits for every chunk.
void BatchMaker::ChunkRead::failed(const char* why) noexcept {
  maker.samples_[maker.chunk_begin(chunk)].status =
      Status(Code::kPlugin, why).at(maker.chain_.source_place());
  continuation->done();
}

void BatchMaker::read_raw_chunk(size_t chunk) {
  for (size_t i = chunk_begin(chunk); i < chunk_end(chunk); ++i) {
    read_raw(chain_.in_order() ? reading_order_[i] : i, *setup_.io_scratch);
  }
  FloatState::repair();
}

void BatchMaker::read_raw(size_t place, SampleScratch& scratch) {
  Status status;
  do {
    scratch.lay(raw_[place].data());
    status = chain_.read_source(samples_[place].stands, scratch);
  } while (!status && replace(samples_[place], status));
}

bool BatchMaker::replace(Sample& sample, const Status& status) {
  const bool bad = status.code() == Code::kCorrupt && setup_.order.replaces();
  if (bad && sample.attempts == 0 && setup_.reader.report_bad(sample.ref, status)) ++setup_.skipped;
  if (bad && sample.attempts < InputGraph::kReplacements) {
    sample.stands = setup_.order.replacement(sample.ref, ++sample.attempts);
    return true;
  }
  sample.status = bad ? status.at(fmt::format("record {} and {} that were drawn in its place are bad",
                                              sample.ref.record, InputGraph::kReplacements))
                      : status;
  return false;
}

Status BatchMaker::finish_batch() {
  for (const Sample& sample : samples_) PLAIT_TRY(sample.status);
  if (stages_) return finish_there();
  for (const ChainOperator& op : chain_.operators()) {
    if (!op.whole_batches) continue;
    PLAIT_TRY(chain_.transform_batch(op, samples_.front().ref, memory_->current(), memory_->other(),
                                     workspace_.data(), own_scratch().context()));
    memory_->swap();
  }
  PLAIT_TRY(check_ranges());
  if (setup_.buckets != nullptr) memory_->shrink(*setup_.buckets);
  PLAIT_TRY(memory_->deliver(*stream_));
  return stream_->synchronize();
}

Status BatchMaker::finish_there() {
  std::ranges::transform(samples_, stand_ins_.begin(), &Sample::stands);
  PLAIT_TRY(memory_->deliver(*stream_));
  PLAIT_TRY(stages_->run(memory_->batch().parts, stand_ins_, *stream_));
  PLAIT_TRY(stream_->synchronize());
  return check_ranges_there();
}

// Parts whose numbers have to be looked at are mostly those that no operator touches: they are here still.
Status BatchMaker::check_ranges_there() {
  if (setup_.ranges.empty()) return {};
  std::vector<PartSpec> parts;
  std::vector<plait_tensor> tensors(chain_.batch_parts().size());
  std::vector<const plait_tensor*> pointers;
  std::vector<std::vector<std::byte>> copies;
  for (const PartSpec& part : chain_.batch_parts()) parts.push_back(with_batch(part, setup_.batch));
  for (size_t i = 0; i < parts.size(); ++i) {
    tensors[i] = tensor_of(parts[i]);
    pointers.push_back(&tensors[i]);
    const int from = stages_->passed_on(i);
    if (from >= 0) {
      tensors[i].data = memory_->current()[from]->data;
    } else if (std::ranges::find(setup_.ranges, i, &PartRange::part) != setup_.ranges.end()) {
      copies.emplace_back(element_count(parts[i]) * dtype_bytes(parts[i].dtype));
      tensors[i].data = copies.back().data();
      PLAIT_TRY(stream_->copy_out(tensors[i].data, stages_->batch().parts[i], copies.back().size()));
    }
  }
  if (!copies.empty()) PLAIT_TRY(stream_->synchronize());
  return check_ranges(pointers.data());
}

Status BatchMaker::check_ranges(const plait_tensor* const* parts) const {
  return check_part_ranges(setup_.ranges, parts, [this](size_t n) {
    return fmt::format("{}: record {}", chain_.source_place(), samples_[n].stands.record);
  });
}

}  // namespace plait::inline graph
