// A stage whose tasks emit pairs: map -> combine -> shuffle by key -> reduce key by key -> one sorted table.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/transport.h"
#include "mapreduce/pair_store.h"
#include "mapreduce/record_mapper.h"
#include "mapreduce/shuffle.h"
#include "mapreduce/split.h"
#include "mapreduce/stage_graph.h"

namespace plait::inline mapreduce {

// A reducer plugin of keys at work. Threads: create [setup only]; the rest [any]
class KeyReducer {
 public:
  // For values of `in`. Fails with: what the plugin reports; kInvalid for one that is not for keys.
  static Result<std::unique_ptr<KeyReducer>> create(const Registry& registry, const PluginSpec& spec,
                                                    uint32_t in);
  uint32_t kind() const { return kind_; }  // of what comes out
  // What it makes of the values of each key of `from`.
  std::unique_ptr<PairStream> reduce(std::unique_ptr<PairStream> from) const;

 private:
  friend class ReducedPairs;
  KeyReducer() = default;
  Instance instance_;
  uint32_t in_ = 0, kind_ = 0;
};

struct KeyedCounts {
  int64_t pairs = 0;           // emitted, by all ranks
  int64_t results = 0;         // of the reducer
  int64_t bytes_shuffled = 0;  // sent from rank to rank, results to rank 0 included
  int64_t bytes_spilled = 0;
  int64_t bytes_held = 0;  // of pairs in memory, at most, on any rank
  std::vector<int64_t> tasks_by_rank;
};

class KeyedStage final : private StageWork {
 public:
  struct Parts {
    Splits splits;
    RecordMapper* mapper = nullptr;
    uint32_t kind = 0;                   // of what the task emits
    const Combiner* combiner = nullptr;  // may be null
    const KeyReducer* reducer = nullptr;
    uint64_t memory_bytes = uint64_t{1} << 30;
    int threads = 1;
    Transport* transport = nullptr;
    StoppableWork* work = nullptr;
    // On rank 0: all results, sorted.
    std::function<Status(PairStream& results)> take;
  };
  explicit KeyedStage(const Parts& parts);
  ~KeyedStage() override;

  // Fails with: a task's failure, of the lowest task; what combiner, reducer and `take` report; kIo where
  // pairs could not be spilled; kStopped on all ranks. Threads: [one at a time], the transport's thread
  Status run() { return graph_->run(); }
  // The same on all ranks, after run.
  const KeyedCounts& counts() const { return counts_; }

 private:
  struct Done : MapResult {};
  Result<Pass> begin(int64_t number) override;
  Result<const MapResult*> map(int slot, int64_t task) override;
  Status combine(int slot, const MapResult& result) override;
  Result<const PassResult*> reduce() override;
  bool is_finished() override { return true; }
  Status finish_stores();
  Status reduce_all();
  Status count(uint64_t shuffled);

  Parts parts_;
  Scheduler scheduler_;
  SpillFile spill_;
  HeldBytes held_;
  std::vector<std::unique_ptr<PairStore>> stores_;  // by slot
  std::vector<Done> done_;
  std::vector<int64_t> task_of_slot_;
  int64_t results_ = 0;
  KeyedCounts counts_;
  PassResult result_;
  std::unique_ptr<StageGraph> graph_;
};

}  // namespace plait::inline mapreduce
