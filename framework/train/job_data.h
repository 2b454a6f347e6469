// The records of a job, opened: for training, for choosing (validation) and for the last word (test).
#pragma once
#include <memory>
#include <vector>

#include "graph/sample_reader.h"
#include "pipeline/job.h"
#include "train/fit_stage.h"
#include "train/sample_order.h"

namespace plait::inline train {

// Records that a network is evaluated on; no reader: there are none.
struct EvaluationSet {
  std::unique_ptr<SampleReader> own;  // null where it reads through another set's
  const SampleReader* reader = nullptr;
  std::unique_ptr<EvaluationOrder> order;
  int64_t records() const { return order ? order->records() : 0; }
};

// As many has, for what is checked and compiled, a source whose stage has not run yet.
inline constexpr int64_t kRecordsBefore = 65536;

// Of a training source's records: those held out for validation, and the order of the others.
// `repeat`: see TrainingOrder.
RecordSplit split_of(const Job& job, const SampleChain& chain);
TrainingOrder training_order(const Job& job, const SampleChain& chain, int64_t repeat = 0);

// "image [28, 28, 1] f32, label [] i32"
std::string parts_text(const std::vector<PartSpec>& parts);

// Threads: open [setup only]; complete as FitStages::complete; the rest [any].
class JobData {
 public:
  // `repeat`: see TrainingOrder.
  // Fails with: what source and augmenters report; kInvalid when there are no records, or another set's parts
  // differ from measured_parts.
  // `cancelled`: as in SampleReader::Options.
  static Result<std::unique_ptr<JobData>> open(const Registry& registry, const Job& job, int64_t repeat,
                                               const std::atomic<bool>* cancelled = nullptr);

  // Fits the operators that want it to the training records, without those held out, and makes them; those
  // that name a stage, once that has run. Nothing can be read before where there are some. `kept`: of
  // preprocess, by an earlier run; null: none. Fails with: as open, and FitStages::complete.
  Status complete(const Job& job, const FitAround& around, const Fits* kept, std::vector<FitInfo>& told);

  const SampleReader& training() const { return *training_; }
  // Of records that are measured, as batches hold them: those of training but for what augment makes of them.
  const std::vector<PartSpec>& measured_parts() const { return measured_parts_; }
  const TrainingOrder& order() const { return *order_; }
  int64_t training_records() const { return order_ ? order_->records() : 0; }
  const EvaluationSet& validation() const { return validation_; }
  const EvaluationSet& test() const { return test_; }

 private:
  JobData() = default;
  std::unique_ptr<SampleReader> training_;
  std::vector<PartSpec> measured_parts_;
  Fits fits_, kept_;
  std::unique_ptr<TrainingOrder> order_;
  EvaluationSet validation_, test_;
  FitStages fitting_;
};

// Fits of preprocess where no run kept them: the training records are opened for it, if an operator wants
// one.
class FoundFits {
 public:
  // Fails with: as JobData::complete. This outlives around.work. Threads: as FitStages::complete
  Result<Fits> find(const Job& job, const FitAround& around);

 private:
  std::unique_ptr<SampleReader> training_;
  FitStages fitting_;
};

// What is opened to read them, where the job has them; that and what goes over them, without augmenters.
const PluginSpec& source_of_set(const Job& job, const std::string& on);
std::vector<PluginSpec> plugins_of_set(const Job& job, const std::string& on);

// Records that `on` ("train", "validation" or "test") names, alone; those of training without augmenters.
// `fits`: of the training records; null: operators that want one wait, and nothing can be read.
// Fails with: kInvalid when the job has none.
Result<EvaluationSet> open_set(const Registry& registry, const Job& job, const std::string& on,
                               const Fits* fits, const std::atomic<bool>* cancelled = nullptr);

}  // namespace plait::inline train
