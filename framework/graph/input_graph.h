// The input graph: source -> augment -> preprocess -> collate -> device, for one replica. A batch is prepared
// ahead of the step that uses it, while the one before it is in use. Everything is keyed by sample, so the
// order of execution does not matter.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "graph/device.h"
#include "graph/part_ranges.h"
#include "graph/replica.h"
#include "graph/sample_reader.h"
#include "plan/buckets.h"

namespace plait::inline graph {

class BatchMaker;
struct InputSetup;

// Batches by their first position, prepared by as many threads as `lanes`, the caller of take among them. So
// with one lane a batch is prepared in take, by the thread that needs it; only a source that may block is
// read ahead, on the reader's own thread for that. Threads: [one at a time] for want, prepare and take,
// which may be called from the replica's lane.
class InputGraph {
 public:
  static constexpr int kReplacements = 100;  // tries for one bad record
  static constexpr int kBuffers = 2;         // one taken, one under way
  // With `buckets` (of the reader's parts; they outlive the graph) every batch has the extents of the
  // smallest bucket that holds it, else those of the bound. A batch with a number out of `ranges` is refused.
  // Reader, order and device outlive it. Fails with: what the device reports.
  static Result<std::unique_ptr<InputGraph>> create(const SampleReader& reader, const SampleOrder& order,
                                                    Device& device, int batch, int lanes,
                                                    const Buckets* buckets = nullptr,
                                                    std::vector<PartRange> ranges = {});
  ~InputGraph();
  // Begins to prepare the batch of samples at positions [first, first + batch), unless one is under way.
  void want(int64_t first_position);
  // Helps with the batch that is under way until it is ready, for who has nothing else to do. Without one:
  // nothing.
  void prepare();
  // The batch of these samples, ready on the device; valid until the next take. One that was wanted and is
  // not taken next (a round is done again, say) is thrown away.
  // Fails with: what plugins report, naming the record; kInvalid for a number out of range; kCorrupt when
  // kReplacements replacements were bad too. Of several failures the first in the batch is told.
  Result<const Batch*> take(int64_t first_position);
  // Bad records met so far that no input graph of this reader had met before.
  int64_t skipped_records() const;

 private:
  static constexpr int64_t kNone = -1;
  InputGraph();
  Result<const Batch*> finish();
  BatchMaker& last_started();

  std::unique_ptr<InputSetup> setup_;
  std::array<std::unique_ptr<BatchMaker>, kBuffers> makers_;  // take turns
  size_t next_ = 0;                                           // of makers_, to start
  int64_t under_way_ = kNone;                                 // of the maker before next_
};

}  // namespace plait::inline graph
