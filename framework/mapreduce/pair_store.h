// The pairs that one slot's tasks emit, until they are sorted: in memory, and beyond a bound in sorted runs
// of a file. Pairs of a key are folded where a commutative combiner is given.
#pragma once
#include <plait/abi.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/combiner.h"
#include "mapreduce/large_block.h"
#include "mapreduce/pair.h"
#include "mapreduce/pair_stream.h"
#include "mapreduce/spill_file.h"

namespace plait {

// Threads: [one at a time]
class PairStore {
 public:
  struct Setup {
    uint32_t kind = 0;                   // of values that are added
    const Combiner* combiner = nullptr;  // may be null
    int ranks = 1;                       // that reduce
    uint64_t memory_bytes = 0;           // beyond it, a run is written
    SpillFile* spill = nullptr;
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

  // No pair follows. For each rank, what it reduces, sorted, one stream for the memory and one for each run.
  // The streams borrow from this, and read with buffers of `buffer_bytes`.
  Status sort();
  void add_streams(int rank, size_t buffer_bytes, std::vector<std::unique_ptr<PairStream>>& streams) const;
  size_t runs() const { return runs_.front().size(); }  // that were written

 private:
  struct Entry;
  struct Slot;
  class Sorted;
  bool refuse(Status why);
  // A pair that is not folded yet: its bytes lie in waiting_bytes_, while its place in the table is fetched
  // from memory, which takes longer than all the rest.
  struct Waiting {
    uint64_t hash;
    uint32_t at, key_bytes, value_bytes;
  };
  bool add_waiting(std::string_view key, std::string_view value);
  bool fold_one(uint64_t hash, std::string_view key, std::string_view value);
  bool spill_beyond();
  bool add_listed(std::string_view key, std::string_view value);
  std::byte* allocate(size_t bytes);
  LargeBlock make_table(size_t slots, std::span<Slot>& table) const;
  void grow();
  std::vector<Entry*> all_entries() const;
  Pair pair_of(const Entry& entry) const;
  Status spill();
  void clear();

  Setup setup_;
  plait_emitter emitter_{};
  const bool folds_;
  const size_t partial_room_;  // of a partial, a multiple of 16
  CallContext context_;
  std::vector<LargeBlock> chunks_;
  std::vector<std::byte> scratch_room_;
  std::byte* scratch_ = nullptr;  // for one partial
  std::byte* free_ = nullptr;
  size_t free_bytes_ = 0;
  uint64_t held_bytes_ = 0;
  LargeBlock table_block_;
  std::span<Slot> table_;  // folding: by hash, a power of two
  std::vector<Waiting> waiting_;
  std::string waiting_bytes_;
  size_t entries_ = 0;
  std::vector<Entry*> list_;    // else
  std::vector<Entry*> sorted_;  // after sort
  std::vector<size_t> first_of_rank_;
  std::vector<std::vector<std::vector<SpillSegment>>> runs_;  // by rank, one after the other
  int64_t split_ = 0, place_ = 0, pairs_ = 0;
  Status failure_;
};

}  // namespace plait
