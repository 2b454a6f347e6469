// The metrics of a job for one size of batch: states that are merged by addition.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/replica.h"
#include "registry/registry.h"
#include "train/run.h"

namespace plait {

// Threads: create [setup only]; the rest [any].
class Metrics {
 public:
  // Of the network's metric heads.
  static Result<std::unique_ptr<Metrics>> create(const Registry& registry, const Plan& plan);
  ~Metrics();
  size_t state_size() const { return state_size_; }
  // Adds a batch that `replica` has just run. Shapes: state [state_size()]
  Status update(Replica& replica, const Batch& batch, Stream& stream, std::span<double> state) const;
  // Values of a merged state, in the job's order.
  Status finish(std::span<const double> state, NamedValues& values) const;
  const std::vector<ReportedValue>& names() const { return names_; }

 private:
  struct One;
  explicit Metrics(const Plan& plan);
  Status add(const Registry& registry, const HeadInfo& head);

  const Plan& plan_;
  std::vector<std::unique_ptr<One>> metrics_;
  std::vector<ReportedValue> names_;
  size_t state_size_ = 0;
};

}  // namespace plait
