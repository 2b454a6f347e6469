// The metrics of a job for one size of batch: states that are merged by addition, and rows of the records.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/replica.h"
#include "registry/registry.h"
#include "train/metric_values.h"
#include "train/row_memory.h"
#include "train/summary.h"

namespace plait::inline train {

// The rows that metrics keep of some records: for each metric that keeps rows its numbers, one row after the
// other.
using MetricRows = std::vector<std::vector<double>>;

// Threads: create [setup only]; the rest [any].
class Metrics {
 public:
  // Of the network's metric heads. Fails with: what the plugins report; kPlugin for values or rows that
  // cannot be.
  // `cancelled`: what plugins are told when they ask whether to go on; null: always. `device`: where the
  // network runs; a metric that has an implementation for it counts there, unless it keeps rows or refuses.
  // Both outlive the metrics.
  static Result<std::unique_ptr<Metrics>> create(const Registry& registry, const Plan& plan,
                                                 const SourceClasses& classes,
                                                 const std::atomic<bool>* cancelled = nullptr,
                                                 Device* device = nullptr);
  ~Metrics();
  size_t state_size() const { return state_size_; }
  // Numbers of a row of each metric that keeps rows.
  const std::vector<size_t>& row_sizes() const { return row_sizes_; }
  // Numbers of the states that are on the device.
  size_t there_size() const { return there_size_; }
  // Where a batch is counted.
  struct Count {
    std::span<double> state;  // [state_size()]; those of states on the device stay as they are
    double* there = nullptr;  // [there_size()] memory of the device
    MetricRows& rows;         // [row_sizes().size()]
    RowMemory& memory;
  };
  // Adds a batch that `replica` has just run, and has done so when it returns. Fails with: what the plugins
  // report; kInvalid where the rows are more than `memory` has.
  Status update(Replica& replica, const Batch& batch, Stream& stream, const Count& count) const;
  // Puts the states of the device in their places. Shapes: there [there_size()], state [state_size()], bits
  // of f64
  void put(std::span<const double> there, std::span<int64_t> state) const;
  // Values of a merged state and of all rows, in the job's order.
  Status finish(std::span<const double> state, const MetricRows& rows, NamedValues& values) const;
  const std::vector<ReportedValue>& names() const { return names_; }
  // That rows are more than is kept, in words. `bytes`: 0 where nobody knows how many they would be.
  Status too_many_rows(size_t metric, uint64_t bytes, uint64_t most) const;

 private:
  struct One;
  Metrics(const Plan& plan, const std::atomic<bool>* cancelled, Device* device);
  Status add(const Registry& registry, const HeadInfo& head, const SourceClasses& classes);
  Status keep_rows(One& one);
  Status put_there(One& one, const TypeEntry* entry);
  Status count_here(const One& one, const plait_tensor* prediction, const plait_tensor* target, double* state,
                    const Count& count) const;
  Status count_there(const One& one, Replica& replica, const Batch& batch, Stream& stream,
                     double* state) const;
  Status append_rows(const One& one, const plait_tensor* prediction, const plait_tensor* target,
                     MetricRows& rows, RowMemory& memory) const;

  const Plan& plan_;
  const std::atomic<bool>* const cancelled_;
  Device* const device_;  // null: the host's memory
  std::vector<std::unique_ptr<One>> metrics_;
  std::vector<ReportedValue> names_;
  std::vector<size_t> row_sizes_;
  size_t state_size_ = 0, there_size_ = 0;
};

}  // namespace plait::inline train
