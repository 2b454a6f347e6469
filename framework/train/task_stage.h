// A stage of the pipeline file that runs a task plugin over records: opened (which checks it), then run.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "graph/sample_reader.h"
#include "mapreduce/array_stage.h"
#include "mapreduce/keyed_stage.h"
#include "train/array_source.h"
#include "train/fit_stage.h"
#include "train/observer.h"

namespace plait {

class TaskStage {
 public:
  // Opens the source, and makes the plugins for what it gives; declares the arrays of the stage. Where it
  // uses stages that have not run, it can only be checked: see is_waiting. `spec` outlives the stage.
  // Fails with: what the plugins report, at their places in the file; kInvalid when kinds of values do not
  // fit each other, or an operator of preprocess works on whole batches.
  // Threads: [setup only]
  static Result<std::unique_ptr<TaskStage>> open(const Registry& registry, const StageSpec& spec,
                                                 uint64_t seed);
  ~TaskStage();

  const StageSpec& spec() const { return spec_; }
  const SampleReader& reader() const { return *reader_; }
  // Whether it has to be opened again, once the stages that it uses have run.
  bool is_waiting() const { return is_waiting_; }
  // Of its operators of preprocess.
  const std::vector<FitInfo>& fits() const { return fits_; }
  // 0: of a stage that has not run.
  int64_t records() const { return reader_->records(); }
  int64_t tasks() const;
  // "u8 [<=65536] text -> count_words -> i64 -> partial_sum -> i64 -> sum -> i64"
  std::string flow() const;
  // The place and reason of the first record that was left out, or ok.
  Status first_bad() const { return reader_->first_bad(); }

  // What a rank holds that maps all records with these threads. Units: bytes
  struct Memory {
    uint64_t held = 0;     // numbers of accumulators, states, outputs and records
    uint64_t bounded = 0;  // pairs at most; rows, where no record gives more than one to an accumulator
    uint64_t most = 0;     // of these at the largest moment
    uint64_t total() const { return held + most; }
  };
  // What a task holds itself is not known, nor the rows of records that give more: `memory` bounds them.
  Memory memory(int threads) const;

  struct Outcome {
    int64_t passes = 1;           // over the records
    int64_t records = 0;          // that were mapped, in one pass
    int64_t skipped_records = 0;  // bad ones, left out
    int64_t pairs = 0;            // emitted
    int64_t results = 0;          // lines of a table of pairs
    int64_t bytes_shuffled = 0;   // sent from rank to rank
    int64_t bytes_spilled = 0;    // kept in files meanwhile
    int64_t bytes_held = 0;       // of pairs in memory at most, on any rank
    std::vector<int64_t> tasks_by_rank;
    std::string sha256;  // of the output; rank 0 only
  };
  // Fits the operators of preprocess that want it to all records, and makes them; run does so where it has
  // not been. Fails with: as FitStages::complete. Threads: as run
  Status fit(Transport& transport, StoppableWork& work, int threads);
  // On all ranks. Rank 0 writes the output to `path`, at once at the end or not at all.
  // Fails with: as KeyedStage::run and ArrayStage::run; kIo when the output cannot be written.
  // Threads: [one at a time], the transport's thread; what it may be caught in lives as long as `work`.
  Result<Outcome> run(Transport& transport, StoppableWork& work, Files& files, const std::string& path,
                      int threads);

 private:
  class Mapper;
  // Writes the stage's file, of which the function gives the pieces.
  using FileWriter = std::function<Status(const std::function<Status(const Files::Writer&)>&)>;
  TaskStage(const Registry& registry, const StageSpec& spec, uint64_t seed);
  static int64_t records_in_call(uint64_t record_bytes);
  Status open_arrays();
  SampleReader::Options reader_options() const;
  Status make_plugins(const Registry& registry);
  Status make_keyed_plugins(const Registry& registry);
  Status run_keyed(Transport& transport, StoppableWork& work, int slots, const FileWriter& write_file,
                   Outcome& outcome);
  Status run_arrays(Transport& transport, StoppableWork& work, int slots, const FileWriter& write_file,
                    Outcome& outcome);
  void release();

  const Registry& registry_;
  const StageSpec& spec_;
  const uint64_t seed_;
  bool is_waiting_ = false;
  std::unique_ptr<ArraySource> arrays_source_;  // where another stage's arrays are read
  std::unique_ptr<SampleReader> reader_;
  FitStages fitting_;
  std::vector<FitInfo> fits_;
  Instance task_;
  TaskForm form_;
  std::unique_ptr<Combiner> combiner_;
  std::unique_ptr<KeyReducer> reducer_;
  std::unique_ptr<Mapper> mapper_;
  std::unique_ptr<KeyedStage> keyed_;
  std::unique_ptr<ArrayStage> arrays_;
};

}  // namespace plait
