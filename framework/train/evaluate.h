// Loss and metrics over a set of records, spread over ranks and threads; the result does not depend on
// either.
#pragma once
#include <memory>
#include <vector>

#include "train/blocks.h"
#include "train/metrics.h"

namespace plait {

class Evaluator {
 public:
  // Threads: [setup only]
  static Result<std::unique_ptr<Evaluator>> create(const BlockParts& parts, const Transport& transport);

  // Metrics in the job's order, then "loss" where the job has one. Weights in plain order.
  // Every record counts once; states and losses are added in block order, in f64, on every rank alike.
  // Threads: [one at a time], the transport's thread
  Result<NamedValues> run(const std::vector<std::vector<float>>& weights, Transport& transport);
  int64_t records() const { return blocks_->records(); }
  const Plan& plan() const { return blocks_->plan(); }

  // True when larger values of `name` are better. Fails with: kInvalid for a name that run does not give.
  Result<bool> higher_is_better(const std::string& name) const;
  // What the job watches unless it says: its first metric, else the loss; "" when there is neither.
  std::string default_monitor() const;

 private:
  Evaluator() = default;
  const Metrics& metrics_of(const Plan& plan) const;
  Status add_block(const BlockView& view, std::vector<int64_t>& table) const;
  size_t width() const { return metrics_.front()->state_size() + 2; }

  std::unique_ptr<Blocks> blocks_;
  std::vector<std::unique_ptr<Metrics>> metrics_;  // one per plan of the blocks
};

}  // namespace plait
