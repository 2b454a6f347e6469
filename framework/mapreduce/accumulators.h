// The accumulators of a stage: those of a split while it is mapped, and those of a rank, which the splits'
// are folded into in any order.
#pragma once
#include <plait/abi.h>

#include <mutex>
#include <plait/sdk/order_free_sum.hpp>
#include <string>
#include <vector>

#include "cluster/transport.h"
#include "mapreduce/row_store.h"
#include "registry/task_form.h"

namespace plait::inline mapreduce {

// A tensor of the part's name and type over `data`; both are borrowed, and `shape`.
plait_tensor view(const PartSpec& spec, const std::vector<int64_t>& shape, void* data);

// Does not move. Threads: [one at a time]
class SplitArrays {
 public:
  // `most_row_bytes`: of one split.
  SplitArrays(const std::vector<TaskForm::Accumulator>& accumulators, uint64_t most_row_bytes);
  SplitArrays(const SplitArrays&) = delete;
  SplitArrays& operator=(const SplitArrays&) = delete;
  // As the rules have it for no record.
  void begin();
  // Where a task finds them.
  void put_into(plait_task_call& call) const;
  const Status& failure() const { return failure_; }

 private:
  friend class RankArrays;
  static int append(const plait_row_taker* taker, uint32_t accumulator, int64_t count, const void* rows);

  const std::vector<TaskForm::Accumulator>& accumulators_;
  const uint64_t most_row_bytes_;
  uint64_t row_bytes_ = 0;
  std::vector<std::vector<double>> reals_;  // by accumulator; empty where it has none
  std::vector<std::vector<int64_t>> counts_;
  std::vector<Bytes> rows_;
  std::vector<plait_tensor> tensors_;
  std::vector<const plait_tensor*> pointers_;
  plait_row_taker taker_{};
  Status failure_;
};

class RankArrays {
 public:
  // `memory_bytes`: of rows; what exceeds it, on a rank or of all, is kept in files meanwhile.
  RankArrays(const std::vector<TaskForm::Accumulator>& accumulators, uint64_t memory_bytes);
  void begin();
  // Folds what a split has. Rows are moved. Fails with: kNumeric for a number that is none, naming its place;
  // kNumeric for a count beyond 64 bits; kIo. Threads: [any], at once
  Status fold(int64_t split, SplitArrays& from);
  // Makes one of those of all ranks: afterwards numbers are the same everywhere, and rank 0 has all rows.
  // `records`: of all ranks. `sent_bytes`: what goes to other ranks is added.
  // Fails with: kPeer; kStopped on all ranks; kNumeric; kIo. Threads: the transport's
  Status reduce(Transport& transport, int64_t records, uint64_t& sent_bytes);
  // Of rows, written to files since begin.
  uint64_t spilled_bytes() const;
  // Of accumulator `place` after reduce; rows on rank 0 only.
  std::string_view bytes(size_t place) const;

 private:
  using Sums = std::vector<sdk::OrderFreeSum>;
  Status fold_one(size_t place, SplitArrays& from);
  Status reduce_sums(Transport& transport, uint64_t& sent_bytes);

  const std::vector<TaskForm::Accumulator>& accumulators_;
  std::mutex mutex_;
  std::vector<Sums> sums_;                  // by accumulator; empty where it has none
  std::vector<std::vector<double>> reals_;  // extremes; results of sums
  std::vector<std::vector<int64_t>> counts_;
  std::vector<RowStore> rows_;
  const uint64_t memory_bytes_;
  uint64_t held_row_bytes_ = 0;
};

}  // namespace plait::inline mapreduce
