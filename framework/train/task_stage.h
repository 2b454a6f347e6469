// A stage of the pipeline file that runs a task plugin over records: opened (which checks it), then run.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/sample_reader.h"
#include "mapreduce/array_stage.h"
#include "mapreduce/keyed_stage.h"
#include "pipeline/stage_source.h"
#include "train/chain_stage.h"
#include "train/fit_stage.h"

namespace plait::inline train {

class TaskStage final : public ChainStage {
 public:
  // Opens the source, and makes the plugins for what it gives; declares the arrays of the stage. Where it
  // uses stages that have not run, it can only be checked: see is_waiting. `spec` outlives the stage.
  // Fails with: what the plugins report, at their places in the file; kInvalid when kinds of values do not
  // fit each other, or an operator of preprocess works on whole batches.
  // Threads: [setup only]
  // `cancelled`: what plugins are told when they ask whether to go on; null: always. It outlives the stage.
  static Result<std::unique_ptr<ChainStage>> open(const Registry& registry, const StageSpec& spec,
                                                  uint64_t seed,
                                                  const std::atomic<bool>* cancelled = nullptr);
  ~TaskStage() override;

  bool is_waiting() const override { return is_waiting_; }
  const SampleReader* reader() const override {
    return spec().source && !is_stage_source(spec().source) ? reader_.get() : nullptr;
  }
  const std::vector<FitInfo>& fits() const override { return fits_; }
  int64_t records() const override { return reader_->records(); }
  int64_t tasks() const override;
  std::string flow() const override;
  Status first_bad() const override { return reader_->first_bad(); }
  Memory memory(int threads) const override;
  Status fit(Transport& transport, StoppableWork& work, int threads) override;
  Result<Outcome> run(const Around& around) override;

 private:
  class Mapper;
  // Writes the stage's file, of which the function gives the pieces.
  using FileWriter = std::function<Status(const std::function<Status(const Files::Writer&)>&)>;
  TaskStage(const Registry& registry, const StageSpec& spec, uint64_t seed,
            const std::atomic<bool>* cancelled);
  static int64_t records_in_call(uint64_t record_bytes);
  SampleReader::Options reader_options() const;
  // Behind an error of the task: the stages that it reads from.
  Status placed(const PluginSpec& plugin, const Status& status) const;
  Status make_plugins(const Registry& registry);
  Status make_keyed_plugins(const Registry& registry);
  Status run_keyed(const Around& around, int slots, const FileWriter& write_file, Outcome& outcome);
  Status run_arrays(const Around& around, int slots, const FileWriter& write_file, Outcome& outcome);
  Status refuse_all_bad(const Around& around, int64_t count) const;
  void release();

  const Registry& registry_;
  const uint64_t seed_;
  const std::atomic<bool>* const cancelled_;
  bool is_waiting_ = false;
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

}  // namespace plait::inline train
