// A stage of the pipeline file that runs a task plugin over records: opened (which checks it), then run.
#pragma once
#include <memory>
#include <string>

#include "base/files.h"
#include "graph/input.h"
#include "mapreduce/keyed_stage.h"
#include "train/run.h"

namespace plait {

class TaskStage {
 public:
  // Opens the source, and makes the plugins for what it gives. `spec` outlives the stage.
  // Fails with: what the plugins report, at their places in the file; kInvalid when kinds of values do not
  // fit each other, or an operator of preprocess works on whole batches.
  // Threads: [setup only]
  static Result<std::unique_ptr<TaskStage>> open(const Registry& registry, const StageSpec& spec,
                                                 uint64_t seed);
  ~TaskStage();

  const StageSpec& spec() const { return spec_; }
  const SampleReader& reader() const { return *reader_; }
  int64_t records() const { return reader_->records(); }
  int64_t tasks() const;
  // "u8 [<=65536] text -> count_words -> i64 -> partial_sum -> i64 -> sum -> i64"
  std::string flow() const;
  // The place and reason of the first record that was left out, or ok.
  Status first_bad() const { return reader_->first_bad(); }

  struct Outcome {
    KeyedCounts counts;
    int64_t records = 0;          // that were mapped
    int64_t skipped_records = 0;  // bad ones, left out
    std::string sha256;           // of the table; rank 0 only
  };
  // On all ranks. Rank 0 writes the table to `path`, at once at the end or not at all.
  // Fails with: as KeyedStage::run; kIo when the table cannot be written.
  // Threads: [one at a time], the transport's thread; what it may be caught in lives as long as `work`.
  Result<Outcome> run(Transport& transport, StoppableWork& work, Files& files, const std::string& path,
                      int threads);

 private:
  class Mapper;
  explicit TaskStage(const StageSpec& spec);
  Status make_plugins(const Registry& registry);

  const StageSpec& spec_;
  std::unique_ptr<SampleReader> reader_;
  Instance task_;
  uint32_t emitted_ = 0;
  std::unique_ptr<Combiner> combiner_;
  std::unique_ptr<KeyReducer> reducer_;
  std::unique_ptr<Mapper> mapper_;
  std::unique_ptr<KeyedStage> stage_;
};

}  // namespace plait
