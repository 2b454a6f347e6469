// BatchMaker: one buffer of an input graph, and the nodes that fill it.
#pragma once
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "graph/arena.h"
#include "graph/batch_memory.h"
#include "graph/device_operators.h"
#include "graph/input_graph.h"
#include "graph/sample_chain.h"
#include "graph/step_graph.h"
#include "io/io_context.h"

namespace plait::inline graph {

// What the buffers of an input graph share.
struct InputSetup {
  InputSetup(const SampleReader& reader_, const SampleOrder& order_, Device& device_, int lanes_, int batch_,
             std::vector<PartRange> ranges_, const Buckets* buckets_)
      : reader(reader_),
        order(order_),
        device(device_),
        lanes(lanes_),
        batch(batch_),
        ranges(std::move(ranges_)),
        buckets(buckets_) {
    // One more than there are lanes: a thread that only hands something over may take a place of its own.
    for (int i = 0; i <= lanes_; ++i) scratch.push_back(reader.make_scratch());
    if (reader.io_context() != nullptr) io_scratch = reader.make_scratch();
  }

  const SampleReader& reader;
  const SampleOrder& order;
  Device& device;
  Lanes lanes;
  int batch;
  std::vector<PartRange> ranges;
  std::unique_ptr<DeviceOperators> there;           // made before the buffers
  const Buckets* buckets;                           // null: every batch has the extents of the bound
  std::vector<SampleReader::ScratchOwner> scratch;  // per place in the arena
  SampleReader::ScratchOwner io_scratch;  // only used on the reader's thread; null where there is none
  std::atomic<int64_t> skipped{0};
};

// Samples are read in chunks, a node each (or two: reading that may block, then the rest); the last node
// works on the whole batch and delivers it. Does not move.
// Threads: [one at a time]
class BatchMaker {
 public:
  static constexpr int kChunk = 16;  // samples
  static Result<std::unique_ptr<BatchMaker>> create(InputSetup& setup);
  ~BatchMaker();
  void start(int64_t first_position);
  // Returns when the batch is ready; the calling thread helps.
  void prepare() { graph_->wait(); }
  // Waits; the batch of the last start.
  Result<const Batch*> take();

 private:
  struct Sample {
    SampleRef ref;     // as the order has it
    SampleRef stands;  // what stands for it: itself, or a replacement
    Status status;
    int attempts = 0;
  };
  // Reading of a chunk on the reader's thread.
  struct ChunkRead final : IoContext::Job {
    ChunkRead(BatchMaker& owner, size_t number) : maker(owner), chunk(number) {}
    void run() override;
    void failed(const char* why) noexcept override;
    BatchMaker& maker;
    size_t chunk;
    StepGraph::Continuation* continuation = nullptr;
  };

  explicit BatchMaker(InputSetup& setup);
  void make_graph();
  void make_raw_memory();
  Status make_workspace();
  void run_node(size_t number);
  void read_raw_chunk(size_t chunk);  // only the source, on the reader's thread
  void read_raw(size_t place, SampleScratch& scratch);
  // A sample into its slot; `read` when the source's parts lie in raw_ already.
  void fill(size_t place, bool read, SampleScratch& scratch);
  // True when another try is due: the sample was bad, and now another stands for it.
  bool replace(Sample& sample, const Status& status);
  Status finish_batch();
  Status finish_there();
  Status check_ranges() const { return check_ranges(memory_->current()); }
  Status check_ranges(const plait_tensor* const* parts) const;
  Status check_ranges_there();
  // Operators of samples that are the host's.
  size_t here() const { return setup_.there->first(); }
  size_t chunk_begin(size_t chunk) const { return chunk * chunk_samples_; }
  size_t chunk_end(size_t chunk) const;
  bool reads_elsewhere() const { return setup_.io_scratch != nullptr; }
  SampleScratch& own_scratch();

  InputSetup& setup_;
  const SampleChain& chain_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<BatchMemory> memory_;
  std::unique_ptr<DeviceStages> stages_;  // null: no operator runs on the device
  std::vector<SampleRef> stand_ins_;      // of the samples, for stages_
  std::vector<Sample> samples_;
  std::vector<size_t> reading_order_;
  std::vector<HostBlock> raw_;  // per sample: the source's parts, where reading may block
  HostBlock workspace_;         // of the operator of whole batches that wants most
  size_t chunk_samples_ = kChunk, chunks_ = 0;
  std::vector<std::unique_ptr<ChunkRead>> reads_;
  Status finished_;
  std::unique_ptr<StepGraph> graph_;
};

}  // namespace plait::inline graph
