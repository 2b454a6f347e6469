// The pairs that one slot's tasks emit, until they are sorted.
//
// With a commutative combiner pairs of a key are folded in a table. Where it grows beyond the memory, keys
// that were met least leave it, unsorted, into parts by hash; in the end each part is folded in memory and
// written as a sorted run. So a frequent key is folded where it is emitted, a rare one is written about as
// often as it comes, and nothing is sorted twice.
//
// Else pairs are listed, and beyond the memory written as sorted runs.
#pragma once
#include <plait/abi.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/combiner.h"
#include "mapreduce/fold_table.h"
#include "mapreduce/held_bytes.h"
#include "mapreduce/large_block.h"
#include "mapreduce/pair.h"
#include "mapreduce/pair_stream.h"
#include "mapreduce/spill_file.h"
#include "mapreduce/spill_parts.h"

namespace plait::inline mapreduce {

// Threads: [one at a time]
class PairStore {
 public:
  struct Setup {
    uint32_t kind = 0;                   // of values that are added
    const Combiner* combiner = nullptr;  // may be null
    int ranks = 1;                       // that reduce
    uint64_t memory_bytes = 0;           // beyond it, pairs leave the memory
    SpillFile* spill = nullptr;
    HeldBytes* held = nullptr;                     // may be null
    const std::atomic<bool>* cancelled = nullptr;  // may be null: finish ends early
  };
  explicit PairStore(const Setup& setup);
  ~PairStore();

  // Takes pairs of `split` from now on.
  void begin_split(int64_t split);
  // False when it does not take the pair: failure() says why, and no pair is taken any more. Pairs are folded
  // some at a time, so that one may be refused by a later call, or by flush.
  bool add(std::string_view key, std::string_view value);
  bool flush();
  const Status& failure() const { return failure_; }
  // What plugins are given.
  const plait_emitter* emitter() const { return &emitter_; }
  int64_t pairs() const { return pairs_; }  // that were added

  // No pair follows: sorts. At most `most_bytes` stay in memory, beside streams' buffers.
  // Fails with: failure(); kIo; kStopped when cancelled.
  Status finish(uint64_t most_bytes);
  // What `rank` reduces, sorted, one stream for the memory and one for each run. They borrow from this, and
  // read with buffers of `buffer_bytes`.
  void add_streams(int rank, size_t buffer_bytes, std::vector<std::unique_ptr<PairStream>>& streams) const;
  size_t streams() const;  // for all ranks

 private:
  struct Entry;
  class Sorted;
  bool refuse(Status why);
  // A pair that is not folded yet: its bytes lie in waiting_bytes_, while its place in the table is fetched
  // from memory, which takes longer than all the rest.
  struct Waiting {
    uint64_t hash;
    uint32_t at, key_bytes, value_bytes;
  };
  static int emit(const plait_emitter* emitter, plait_str key, plait_str value);
  bool add_pair(std::string_view key, std::string_view value);
  bool fold(std::string_view key, std::string_view value);
  bool add_waiting(uint64_t hash, std::string_view key, std::string_view value);
  bool add_listed(std::string_view key, std::string_view value);
  bool spill_beyond();
  std::byte* allocate(size_t bytes);
  void count_list() { held_.set(held_bytes_ + waiting_bytes_.size()); }
  Pair pair_of(const Entry& entry) const;
  void sort_list();
  // Of what is sorted in memory.
  Pair sorted_pair(size_t place) const;
  size_t first_of(size_t rank) const;
  Status write_runs();
  Status fold_parts();
  void clear_list();

  Setup setup_;
  plait_emitter emitter_{};
  const bool folds_;
  HeldBytes::Part held_;
  CallContext context_;
  std::unique_ptr<FoldTable> table_;  // folding
  std::unique_ptr<SpillParts> parts_;
  FoldTable::Taker to_parts_;
  std::vector<Waiting> waiting_;
  std::vector<char> waiting_bytes_;
  size_t waiting_used_ = 0;
  std::vector<LargeBlock> chunks_;  // else
  std::byte* free_ = nullptr;
  size_t free_bytes_ = 0;
  uint64_t held_bytes_ = 0;
  std::vector<Entry*> list_;
  std::vector<Entry*> sorted_;  // after finish
  std::vector<size_t> first_of_rank_;
  std::vector<std::vector<std::vector<SpillSegment>>> runs_;  // by rank, one after the other
  int64_t split_ = 0, place_ = 0, pairs_ = 0;
  Status failure_;
};

}  // namespace plait::inline mapreduce
