// Loss and metrics over a set of records, spread over ranks and threads; the result does not depend on
// either.
#pragma once
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "train/blocks.h"
#include "train/metrics.h"

namespace plait::inline train {

class Evaluator {
 public:
  // Threads: [setup only]
  static Result<std::unique_ptr<Evaluator>> create(const BlockParts& parts, const Transport& transport);

  // Metrics in the job's order, then "loss" where the job has one, then of several losses each by name,
  // without its weight. Weights in plain order. Every record counts once; states and losses are added in
  // block order, in f64, on every rank alike. `lent`: see Blocks::run.
  // Rows are gathered on rank 0, which finishes the metrics that keep them and tells the others: it holds
  // them up to three times for that while, a rank its own. Those of all ranks together are at most
  // parts.job->evaluate.memory_bytes.
  // Fails with: what blocks report; kStopped where parts.work stops it, on every rank; kInvalid where rows
  // are more, on every rank; what finish reports, the other ranks then with kPeer. Threads: [one at a time],
  // the transport's thread
  Result<NamedValues> run(const PlainWeights& weights, Transport& transport, Replica* lent = nullptr);
  int64_t records() const { return blocks_->records(); }
  // Sent from rank to rank in the last run. Of rows, rank 0 alone knows.
  int64_t bytes_shuffled() const { return bytes_shuffled_; }
  const Plan& plan() const { return blocks_->plan(); }
  const Blocks& blocks() const { return *blocks_; }

 private:
  Evaluator() = default;
  Evaluator(const Evaluator&) = delete;
  // Makes them when the plan is met for the first time.
  Result<const Metrics*> metrics_of(const Plan& plan);
  const Metrics& metrics() const { return *at_bound_; }
  Status add_block(const BlockView& view);
  // Numbers of rows of block `block`, for each metric that keeps some. After the table is summed.
  std::span<const int64_t> row_counts(int64_t block) const;
  Status check_rows() const;
  Bytes take_own_rows();
  Result<MetricRows> gather_rows(Transport& transport);
  Status begin_there();
  Status read_there();
  Status finish(std::span<const double> state, Transport& transport, NamedValues& values);
  Status add_losses(std::span<const double> sums_and_counts, NamedValues& values) const;
  size_t losses() const { return plan().losses().size(); }
  int64_t there_size() const { return static_cast<int64_t>(metrics().there_size()); }
  size_t row_metrics() const { return metrics().row_sizes().size(); }
  size_t sums() const { return 2 * losses() + metrics().state_size(); }
  size_t width() const { return sums() + row_metrics(); }

  std::unique_ptr<Blocks> blocks_;
  // [blocks, width], bits of f64: sums and counts of losses, states; then whole numbers: rows of each metric
  std::vector<int64_t> table_;
  std::vector<MetricRows> rows_;  // by block: those of this rank
  int64_t bytes_shuffled_ = 0;
  SourceClasses classes_;
  std::unique_ptr<RowMemory> row_memory_;
  // [blocks, there_size] states of metrics that count on the device; they come to the host once.
  DeviceMemory states_there_;
  std::unique_ptr<Stream> stream_;  // null: no metric does
  Device* device_ = nullptr;
  const Registry* registry_ = nullptr;
  const std::atomic<bool>* cancelled_ = nullptr;
  const Metrics* at_bound_ = nullptr;  // of the plan at the bound of the samples' extents
  std::mutex metrics_mutex_;           // of the list, which grows while blocks are added
  std::vector<std::pair<const Plan*, std::unique_ptr<Metrics>>> metrics_;  // by plan
};

}  // namespace plait::inline train
