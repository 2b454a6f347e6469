// Metrics at work: an instance for what it is tried on, and data for it.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "verify/benches/samples.h"

namespace plait::inline verify {

constexpr int64_t kMetricBatch = 12;

// What a metric says of one value.
struct MetricValueText {
  std::string name, doc;
  bool higher_is_better = false;
  bool operator==(const MetricValueText&) const = default;
};

struct MetricBench {
  std::shared_ptr<plait_config> config;
  PartSpec prediction, target;
  uint32_t bound = 2;
  const plait_metric_ops* ops = nullptr;
  void* self = nullptr;
  uint32_t state_size = 0;
  uint32_t row_size = 0;                // 0: keeps no rows
  std::vector<MetricValueText> values;  // as they are called where the source does not say its classes

  MetricBench() = default;
  MetricBench(const MetricBench&) = delete;
  MetricBench& operator=(const MetricBench&) = delete;
  ~MetricBench() {
    if (self != nullptr) ops->destroy(self);
  }
  std::string text() const;
  // Nothing where rows alone are kept.
  Status update(const SampleTensor& p, const SampleTensor& t, double* state, CallContext& context) const {
    if (row_size > 0 && state_size == 0) return {};
    return context.call([&] { return ops->update(self, context.raw(), p.raw(), t.raw(), state); })
        .at("update");
  }
  Status update(const SampleTensor& p, const SampleTensor& t, double* state) const {
    CallContext context;
    return update(p, t, state, context);
  }
  // Appends; nothing where none are kept.
  Status update_rows(const SampleTensor& p, const SampleTensor& t, std::vector<double>& rows,
                     CallContext& context) const;
  Status update_rows(const SampleTensor& p, const SampleTensor& t, std::vector<double>& rows) const {
    CallContext context;
    return update_rows(p, t, rows, context);
  }
  Status finish(const double* state, std::span<const double> rows, double* results,
                CallContext& context) const;
  Status finish(const double* state, std::span<const double> rows, double* results) const {
    CallContext context;
    return finish(state, rows, results, context);
  }
};

// The values of a bench that has a configuration and specs. `classes`: names of the source's; none: it does
// not say. Fails with: what the plugin reports.
Result<std::vector<MetricValueText>> describe_metric(const MetricBench& bench,
                                                     const std::vector<std::string>& classes);
// Sets the instance, sizes and values of a bench that has a configuration and specs. Fails with: what the
// plugin reports.
Status create_metric(Trial& trial, MetricBench& bench);
// Configurations with predictions and targets that create accepts. Fails with: skipped, when there is none.
Result<std::vector<std::unique_ptr<MetricBench>>> metric_benches(Trial& trial);

struct MetricData {
  SampleTensor prediction, target;
  MetricData(const MetricBench& bench, Dice& dice)
      : prediction(bench.prediction, Poison::kNan), target(bench.target, Poison::kNan) {
    prediction.draw(dice, 0.05, 0.95, 2);
    target.draw(dice, 0.05, 0.95, bench.bound);
  }
};

}  // namespace plait::inline verify
