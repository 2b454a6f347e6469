// A stage whose tasks fill accumulators: map -> fold -> reduce -> finish, once or in several passes.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/accumulators.h"
#include "mapreduce/record_mapper.h"
#include "mapreduce/stage_graph.h"
#include "registry/instance.h"

namespace plait::inline mapreduce {

// An output of a stage, on rank 0. Borrows.
struct OutputArray {
  PartSpec spec;  // with the number of rows where it has rows
  std::string_view bytes;
};

struct ArrayCounts {
  int64_t passes = 0;
  int64_t records = 0;         // mapped in the last pass, by all ranks
  int64_t bytes_shuffled = 0;  // sent from rank to rank
  int64_t bytes_spilled = 0;   // of rows, kept in files meanwhile
  std::vector<int64_t> tasks_by_rank;
};

class ArrayStage final : private StageWork {
 public:
  struct Parts {
    Splits splits;
    RecordMapper* mapper = nullptr;
    const TaskForm* form = nullptr;
    const Instance* task = nullptr;  // which may have a finish; null: the accumulators are all there is
    uint64_t memory_bytes = uint64_t{1} << 30;  // of rows that a rank holds
    int64_t most_passes = 1000;
    uint64_t random_key = 0;
    int threads = 1;
    Transport* transport = nullptr;
    StoppableWork* work = nullptr;
    // On rank 0, after the last pass; empty: nobody takes them.
    std::function<Status(const std::vector<OutputArray>& outputs)> take;
    // On rank 0, after each pass but the last: its number from 1, and its records. Empty: nobody asks.
    std::function<void(int64_t pass, int64_t records)> passed;
  };
  explicit ArrayStage(const Parts& parts);
  ~ArrayStage() override;

  // Fails with: a task's failure, of the lowest task; what finish and `take` report; kNumeric for a number
  // that is none in an accumulator; kInvalid for rows of one split beyond the memory, and for a pass too
  // many; kIo where rows beyond the memory cannot be kept in a file; kStopped on all ranks. Threads: [one at
  // a time], the transport's thread
  Status run() { return graph_->run(); }
  // The same on all ranks, after run.
  const ArrayCounts& counts() const { return counts_; }
  // Accumulator `place` after run: the same on all ranks; rows on rank 0 only.
  std::string_view accumulated(size_t place) const { return totals_.bytes(place); }

 private:
  struct Done : MapResult {
    std::unique_ptr<SplitArrays> arrays;
    int64_t split = Scheduler::kNone;  // under way
  };
  // Tensors of these parts, with memory of their own.
  struct Arrays {
    std::vector<Bytes> bytes;
    std::vector<plait_tensor> tensors;
    std::vector<const plait_tensor*> pointers;
    void make(const std::vector<PartSpec>& specs);
  };
  Result<Pass> begin(int64_t number) override;
  Result<const MapResult*> map(int slot, int64_t task) override;
  Status combine(int slot, const MapResult& result) override;
  Result<const PassResult*> reduce() override;
  bool is_finished() override { return !wants_another_; }
  Status reduce_all();
  Status finish();
  bool has_finish() const;
  Status call_finish();
  Status share_states();
  std::vector<OutputArray> outputs() const;
  int64_t rows_of(size_t accumulator) const;

  Parts parts_;
  Scheduler scheduler_;
  RankArrays totals_;
  std::vector<std::unique_ptr<Done>> slots_;
  Arrays states_, finished_;
  int64_t pass_ = 0;
  int64_t records_before_ = 0;  // of this rank, mapped in earlier passes
  bool wants_another_ = false;
  ArrayCounts counts_;
  PassResult result_;
  std::unique_ptr<StageGraph> graph_;
};

}  // namespace plait::inline mapreduce
