// A step of the chain of stages: a task over records, or what is done with the trained network.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "graph/sample_reader.h"
#include "mapreduce/sink.h"
#include "mapreduce/stoppable_work.h"
#include "train/summary.h"

namespace plait::inline train {

// Threads: what does not say more [setup only]
class ChainStage {
 public:
  explicit ChainStage(const StageSpec& spec) : spec_(spec) {}
  virtual ~ChainStage() = default;
  ChainStage(const ChainStage&) = delete;
  ChainStage& operator=(const ChainStage&) = delete;

  const StageSpec& spec() const { return spec_; }
  // Whether it has to be opened again, once the stages that it uses have run.
  virtual bool is_waiting() const { return false; }
  // Of its own source; null: it has none, or another opens it.
  virtual const SampleReader* reader() const { return nullptr; }
  // Of its operators of augment and preprocess.
  virtual const std::vector<FitInfo>& fits() const = 0;
  // 0: of a stage that has not run.
  virtual int64_t records() const = 0;
  virtual int64_t tasks() const = 0;
  // "u8 [<=65536] text -> count_words -> i64 -> partial_sum -> i64 -> sum -> i64"
  virtual std::string flow() const = 0;
  // The place and reason of the first record that was left out, or ok.
  virtual Status first_bad() const { return {}; }

  // What a rank holds that maps all records with these threads. Units: bytes
  struct Memory {
    uint64_t held = 0;     // numbers of accumulators, states, outputs and records
    uint64_t bounded = 0;  // pairs at most; rows, where no record gives more than one to an accumulator
    uint64_t most = 0;     // of these at the largest moment
    uint64_t total() const { return held + most; }
  };
  // What a task holds itself is not known, nor the rows of records that give more: `memory` bounds them.
  virtual Memory memory(int threads) const = 0;

  // Fits the operators that want it to all records, and makes them; run does so where it has not been.
  // Fails with: as FitStages::complete. Threads: as run
  virtual Status fit(Transport& transport, StoppableWork& work, int threads) = 0;

  struct Outcome {
    int64_t passes = 1;           // over the records
    int64_t records = 0;          // that were mapped, in one pass
    int64_t skipped_records = 0;  // bad ones, left out
    int64_t pairs = 0;            // emitted
    int64_t results = 0;          // lines of a table of pairs, rows of the longest array, values measured
    int64_t bytes_shuffled = 0;   // sent from rank to rank
    int64_t bytes_spilled = 0;    // kept in files meanwhile
    int64_t bytes_held = 0;       // of pairs in memory at most, on any rank
    std::vector<int64_t> tasks_by_rank;
    std::string value;   // kind of a table's values
    std::string sha256;  // of the output; rank 0 only
  };
  // What a stage runs on. Borrows.
  struct Around {
    Transport& transport;
    StoppableWork& work;
    Files& files;
    std::string path;  // of the output
    int threads = 1;
    // Rank 0, after each pass over the records but the last: its number from 1, and its records.
    std::function<void(int64_t pass, int64_t records)> passed = {};
  };
  // On all ranks. Rank 0 writes the output, at once at the end or not at all.
  // Fails with: as KeyedStage::run and ArrayStage::run; kIo when the output cannot be written.
  // Threads: [one at a time], the transport's thread; what it may be caught in lives as long as `work`.
  virtual Result<Outcome> run(const Around& around) = 0;

 protected:
  // Of what the stage makes: its columns have no names.
  static std::vector<SinkArraySpec> sink_arrays(const std::vector<PartSpec>& made);
  // Fails with: what the plugin reports, at its place.
  Status make_sink(const Registry& registry);
  const Sink& sink() const { return *sink_; }
  // Writes a stage's file, of which the function gives the pieces; `sha256` becomes the file's.
  static Status write_output(const Around& around, std::string& sha256,
                             const std::function<Status(const Files::Writer&)>& content);

 private:
  const StageSpec& spec_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace plait::inline train
