// The records of a job, opened: for training, for choosing (validation) and for the last word (test).
#pragma once
#include <memory>
#include <vector>

#include "graph/input.h"
#include "pipeline/job.h"
#include "train/sample_order.h"

namespace plait {

// Records that a network is evaluated on; no reader: there are none.
struct EvaluationSet {
  std::unique_ptr<SampleReader> own;  // null where it reads through another set's
  const SampleReader* reader = nullptr;
  std::unique_ptr<EvaluationOrder> order;
  int64_t records() const { return order ? order->records() : 0; }
};

// Threads: open [setup only]; the rest [any].
class JobData {
 public:
  // `repeat`: see TrainingOrder.
  // Fails with: what source and augmenters report; kInvalid when there are no records, or another set's parts
  // differ from those of the training records.
  static Result<std::unique_ptr<JobData>> open(const Registry& registry, const Job& job, int64_t repeat);

  // Once the stages that operators name have run; nothing can be read before where there are some.
  // Fails with: as open. Threads: [setup only]
  Status complete(const Registry& registry, const Job& job);

  // Fits of preprocess are of the training records, without those held out.
  const SampleReader& training() const { return *training_; }
  const TrainingOrder& order() const { return *order_; }
  int64_t training_records() const { return order_ ? order_->records() : 0; }
  const EvaluationSet& validation() const { return validation_; }
  const EvaluationSet& test() const { return test_; }

 private:
  JobData() = default;
  std::unique_ptr<SampleReader> training_;
  Fits fits_;
  std::unique_ptr<TrainingOrder> order_;
  EvaluationSet validation_, test_;
};

// Records that `on` ("train", "validation" or "test") names, alone; those of training without augmenters.
// `fits`: of the training records; null: these are opened for them where an operator of preprocess wants one.
// Fails with: kInvalid when the job has none.
Result<EvaluationSet> open_set(const Registry& registry, const Job& job, const std::string& on,
                               const Fits* fits = nullptr);

}  // namespace plait
