// Loss and metrics over a set of records, spread over ranks and threads; the result does not depend on
// either.
#pragma once
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "train/blocks.h"
#include "train/metrics.h"

namespace plait {

class Evaluator {
 public:
  // Threads: [setup only]
  static Result<std::unique_ptr<Evaluator>> create(const BlockParts& parts, const Transport& transport);

  // Metrics in the job's order, then "loss" where the job has one, then of several losses each by name,
  // without its weight. Weights in plain order. Every record counts once; states and losses are added in
  // block order, in f64, on every rank alike. `lent`: see Blocks::run.
  // Fails with: what blocks report; kStopped where parts.work stops it, on every rank.
  // Threads: [one at a time], the transport's thread
  Result<NamedValues> run(const PlainWeights& weights, Transport& transport, Replica* lent = nullptr);
  int64_t records() const { return blocks_->records(); }
  const Plan& plan() const { return blocks_->plan(); }
  const Blocks& blocks() const { return *blocks_; }

  // True when larger values of `name` are better. Fails with: kInvalid for a name that run does not give.
  Result<bool> higher_is_better(const std::string& name) const;
  // Of all that run gives, in that order.
  std::vector<std::string> names() const;
  // What the job watches unless it says: its first metric, else the loss; "" when there is neither.
  std::string default_monitor() const;

 private:
  Evaluator() = default;
  Evaluator(const Evaluator&) = delete;
  // Makes them when the plan is met for the first time.
  Result<const Metrics*> metrics_of(const Plan& plan);
  const Metrics& metrics() const { return *at_bound_; }
  Status add_block(const BlockView& view);
  size_t losses() const { return plan().losses().size(); }
  size_t width() const { return metrics().state_size() + 2 + losses(); }

  std::unique_ptr<Blocks> blocks_;
  std::vector<int64_t> table_;  // [blocks, width] bits of f64: loss, samples, losses, states
  const Registry* registry_ = nullptr;
  const Metrics* at_bound_ = nullptr;  // of the plan at the bound of the samples' extents
  std::mutex metrics_mutex_;           // of the list, which grows while blocks are added
  std::vector<std::pair<const Plan*, std::unique_ptr<Metrics>>> metrics_;  // by plan
};

}  // namespace plait
