// The passes of augmenters over the training records (fit), each a stage of the one scheduler: read ->
// observe -> fold -> reduce, on all ranks and threads.
//
// Splits are kFitSplit of the records fitted on, in their order. Within a split records are added to the
// state one after the other; states of splits are added exactly (sdk/order_free_sum.hpp) and rounded once, so
// that a fit is the same bits for any number of ranks and threads. An operator after one that is fitted has
// a stage of its own, after that one's.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "graph/sample_reader.h"
#include "mapreduce/stoppable_work.h"
#include "registry/registry.h"
#include "train/summary.h"

namespace plait::inline train {

// Records of a split: what is added in one go, and what a rank or thread takes at once.
constexpr int64_t kFitSplit = 256;

// What passes run on. Borrows.
struct FitAround {
  const Registry& registry;
  Transport& transport;
  StoppableWork& work;
  int threads = 1;
};

// Records to fit on.
struct FitRecords {
  int64_t count = 0;
  std::function<int64_t(int64_t place)> at;  // Threads: [any]
};

class FitStages {
 public:
  FitStages();
  ~FitStages();
  FitStages(const FitStages&) = delete;
  FitStages& operator=(const FitStages&) = delete;

  // Makes the operators of `reader` that wait for no stage, with a pass over `records` for each that wants
  // one; the passes that were made are appended to `told`. `options`: those of the reader, with the fits
  // there are. This, the reader, and what options and records refer to outlive around.work, where that is
  // caught in it. Fails with: what the plugins report, of the lowest split that failed; kNumeric naming
  // operator and records where a state is no number; kStopped on all ranks. Threads: [one at a time], the
  // transport's thread, on all ranks
  Status complete(SampleReader& reader, const SampleReader::Options& options, const FitRecords& records,
                  const FitAround& around, std::vector<FitInfo>& told);

 private:
  class Stage;
  struct Making;
  std::vector<std::unique_ptr<Making>> makings_;
  std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace plait::inline train
