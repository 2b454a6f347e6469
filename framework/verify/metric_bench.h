// Metrics at work: an instance for what it is tried on, and data for it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "verify/samples.h"

namespace plait {

constexpr int64_t kMetricBatch = 12;

struct MetricBench {
  std::shared_ptr<plait_config> config;
  PartSpec prediction, target;
  uint32_t bound = 2;
  const plait_metric_ops* ops = nullptr;
  void* self = nullptr;
  uint32_t state_size = 0;

  MetricBench() = default;
  MetricBench(const MetricBench&) = delete;
  MetricBench& operator=(const MetricBench&) = delete;
  ~MetricBench() {
    if (self != nullptr) ops->destroy(self);
  }
  std::string text() const;
  Status update(const SampleTensor& p, const SampleTensor& t, double* state, CallContext& context) const {
    return context.call([&] { return ops->update(self, context.raw(), p.raw(), t.raw(), state); })
        .at("update");
  }
  Status update(const SampleTensor& p, const SampleTensor& t, double* state) const {
    CallContext context;
    return update(p, t, state, context);
  }
  Status finish(const double* state, double* values, CallContext& context) const {
    return context.call([&] { return ops->finish(self, context.raw(), state, values); }).at("finish");
  }
  Status finish(const double* state, double* values) const {
    CallContext context;
    return finish(state, values, context);
  }
};

// Sets the instance of a bench that has a configuration and specs. Fails with: what the plugin reports.
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

}  // namespace plait
