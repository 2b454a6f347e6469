// Sorted pairs, one after the other: from memory, from a file, merged, reduced.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"
#include "mapreduce/combiner.h"
#include "mapreduce/held_bytes.h"
#include "mapreduce/pair.h"
#include "mapreduce/spill_file.h"

namespace plait::inline mapreduce {

// Threads: [one at a time]
class PairStream {
 public:
  virtual ~PairStream() = default;
  // The next pair, valid until the next call. False at the end, and after a failure: status() tells.
  virtual bool next(Pair& pair) = 0;
  const Status& status() const { return status_; }

 protected:
  bool fail(Status why) {
    status_ = std::move(why);
    return false;
  }

 private:
  Status status_;
};

// As bytes: lengths, places, value, key.
void append_pair(const Pair& pair, Bytes& to);
size_t pair_bytes(const Pair& pair);

// From a file's segments, and then from memory.
class StoredPairs final : public PairStream {
 public:
  // `pieces`: bytes after one another, cut anywhere. `held`: may be null.
  StoredPairs(const SpillFile* file, std::vector<SpillSegment> segments, std::vector<Bytes> pieces,
              size_t buffer_bytes, HeldBytes* held);
  bool next(Pair& pair) override;

 private:
  // Has `bytes` in the buffer from at_ on; false at the end or after a failure.
  bool want(size_t bytes) { return buffer_.size() - at_ >= bytes || read_until(bytes); }
  bool read_until(size_t bytes);

  const SpillFile* file_;
  std::vector<SpillSegment> segments_;
  size_t segment_ = 0;
  std::vector<Bytes> pieces_;
  size_t piece_ = 0;
  uint64_t pieces_bytes_ = 0;  // of those that are not in the buffer yet
  size_t buffer_bytes_;
  Bytes buffer_;
  size_t at_ = 0;
  HeldBytes::Part held_;
};

// How values of a key are folded where streams are merged.
enum class Fold {
  kNot,
  kBeginInSplits,  // none is folded yet: each is begun, then those of one split, which are neighbours, folded
  kAll,            // into one
};

// Many sorted streams as one. `combiner`: not for Fold::kNot.
std::unique_ptr<PairStream> merge(std::vector<std::unique_ptr<PairStream>> streams, const Combiner* combiner,
                                  Fold fold);

}  // namespace plait::inline mapreduce
