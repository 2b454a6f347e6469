#include "train/evaluate.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "graph/loss_node.h"

namespace plait::inline train {

Result<std::unique_ptr<Evaluator>> Evaluator::create(const BlockParts& parts, const Transport& transport) {
  std::unique_ptr<Evaluator> evaluator(new Evaluator);
  PLAIT_ASSIGN(evaluator->blocks_, Blocks::create(parts, transport.rank(), transport.size()));
  evaluator->registry_ = parts.registry;
  evaluator->classes_ = parts.classes;
  evaluator->device_ = parts.device;
  evaluator->cancelled_ = &parts.work->cancelled();
  evaluator->row_memory_ = std::make_unique<RowMemory>(parts.job->evaluate.memory_bytes);
  PLAIT_ASSIGN(evaluator->at_bound_, evaluator->metrics_of(evaluator->plan()));
  return evaluator;
}

Result<const Metrics*> Evaluator::metrics_of(const Plan& plan) {
  const std::lock_guard lock(metrics_mutex_);
  for (const auto& [known, metrics] : metrics_)
    if (known == &plan) return static_cast<const Metrics*>(metrics.get());
  PLAIT_ASSIGN(auto made, Metrics::create(*registry_, plan, classes_, cancelled_, device_));
  if (at_bound_ != nullptr && made->state_size() != metrics().state_size()) {
    return Status(Code::kUnsupported, "a metric's state has " + std::to_string(metrics().state_size()) +
                                          " numbers at the bound of the samples' extents and " +
                                          std::to_string(made->state_size()) +
                                          " at smaller ones; wanted the same");
  }
  if (at_bound_ != nullptr && made->there_size() != metrics().there_size())
    return Status(Code::kUnsupported,
                  "a metric counts on device " + device_->id() +
                      " at some extents of the samples and refuses others; wanted all or none");
  const bool alike = at_bound_ == nullptr || (made->row_sizes() == metrics().row_sizes() &&
                                              made->names().size() == metrics().names().size());
  if (!alike)
    return Status(Code::kUnsupported,
                  "a metric has other values, or rows of another size, at smaller extents of the samples "
                  "than at their bound; wanted the same");
  metrics_.emplace_back(&plan, std::move(made));
  return static_cast<const Metrics*>(metrics_.back().second.get());
}

// A row of the table: every loss's sum, every loss's count, states; as bits, from the one rank that has the
// block.
Status Evaluator::add_block(const BlockView& view) {
  PLAIT_ASSIGN(const Metrics* const metrics, metrics_of(view.plan));
  std::vector<double> row(sums(), 0.0);
  std::ranges::copy(view.result.sums, row.begin());
  std::ranges::copy(view.result.counts, row.begin() + static_cast<std::ptrdiff_t>(losses()));
  MetricRows& rows = rows_[static_cast<size_t>(view.block)];
  double* const there = static_cast<double*>(states_there_.data());
  PLAIT_TRY(
      metrics->update(view.replica, view.batch, view.stream,
                      {std::span(row).subspan(2 * losses()),
                       there == nullptr ? nullptr : there + view.block * there_size(), rows, *row_memory_}));
  int64_t* const to = table_.data() + static_cast<size_t>(view.block) * width();
  for (size_t i = 0; i < row.size(); ++i) to[i] = std::bit_cast<int64_t>(row[i]);
  for (size_t m = 0; m < rows.size(); ++m)
    to[row.size() + m] = static_cast<int64_t>(rows[m].size() / metrics->row_sizes()[m]);
  return {};
}

// Zeros for every block, once for all of it.
Status Evaluator::begin_there() {
  if (metrics().there_size() == 0 || blocks_->count() == 0) return {};
  if (!stream_) {
    PLAIT_ASSIGN(stream_, Stream::create(*device_, 1, nullptr));
  }
  const auto numbers = static_cast<uint64_t>(blocks_->count() * there_size());
  PLAIT_ASSIGN(states_there_, DeviceMemory::allocate(*stream_, numbers * sizeof(double)));
  return {};
}

// Blocks of other ranks are zeros, as in the table.
Status Evaluator::read_there() {
  if (states_there_.bytes() == 0) return {};
  std::vector<double> states(states_there_.bytes() / sizeof(double));
  PLAIT_TRY(stream_->copy_out(states.data(), states_there_.data(), states_there_.bytes()));
  PLAIT_TRY(stream_->synchronize());
  states_there_ = {};
  const size_t size = metrics().there_size();
  for (size_t block = 0; block * size < states.size(); ++block)
    metrics().put(std::span(states).subspan(block * size, size),
                  std::span(table_).subspan(block * width() + 2 * losses(), metrics().state_size()));
  return {};
}

std::span<const int64_t> Evaluator::row_counts(int64_t block) const {
  return std::span(table_).subspan(static_cast<size_t>(block) * width() + sums(), row_metrics());
}

// By what all ranks have together: the same for any number of them.
Status Evaluator::check_rows() const {
  uint64_t all = 0;
  std::vector<uint64_t> bytes(row_metrics());
  for (int64_t block = 0; block < blocks_->count(); ++block)
    for (size_t m = 0; m < bytes.size(); ++m)
      bytes[m] += static_cast<uint64_t>(row_counts(block)[m]) * metrics().row_sizes()[m] * sizeof(double);
  for (const uint64_t one : bytes) all += one;
  if (all <= row_memory_->bound()) return {};
  const auto most = std::ranges::max_element(bytes);
  return metrics().too_many_rows(static_cast<size_t>(most - bytes.begin()), all, row_memory_->bound());
}

// A block's number and its rows; and so on. What is taken is not held any longer.
Bytes Evaluator::take_own_rows() {
  Bytes bytes;
  const auto append = [&](const void* data, size_t count) {
    const size_t at = bytes.size();
    bytes.resize(at + count);
    if (count > 0) std::memcpy(bytes.data() + at, data, count);
  };
  for (size_t block = 0; block < rows_.size(); ++block) {
    if (rows_[block].empty()) continue;  // another rank's
    const auto number = static_cast<int64_t>(block);
    append(&number, sizeof number);
    for (const std::vector<double>& numbers : rows_[block])
      append(numbers.data(), numbers.size() * sizeof(double));
    rows_[block] = {};
  }
  return bytes;
}

// On rank 0, in the order of the blocks, which is that of the records.
Result<MetricRows> Evaluator::gather_rows(Transport& transport) {
  const size_t metrics_with = row_metrics(), blocks = rows_.size();
  std::vector<size_t> begins(blocks * metrics_with);  // of a block, among the numbers of a metric
  MetricRows all(metrics_with);
  for (size_t m = 0; m < metrics_with; ++m) {
    size_t at = 0;
    for (size_t block = 0; block < blocks; ++block) {
      begins[block * metrics_with + m] = at;
      at += static_cast<size_t>(row_counts(static_cast<int64_t>(block))[m]) * metrics().row_sizes()[m];
    }
    if (transport.is_root()) all[m].resize(at);
  }
  PLAIT_ASSIGN(const std::vector<Bytes> messages, transport.gather(take_own_rows(), 0));
  for (size_t rank = 0; rank < messages.size(); ++rank) {
    const Bytes& message = messages[rank];
    if (rank > 0) bytes_shuffled_ += static_cast<int64_t>(message.size());
    for (size_t at = 0; at < message.size();) {
      int64_t block = 0;
      std::memcpy(&block, message.data() + at, sizeof block);
      at += sizeof block;
      for (size_t m = 0; m < metrics_with; ++m) {
        const size_t count =
            static_cast<size_t>(row_counts(block)[m]) * metrics().row_sizes()[m] * sizeof(double);
        const size_t begin = begins[static_cast<size_t>(block) * metrics_with + m];
        if (count > 0) std::memcpy(all[m].data() + begin, message.data() + at, count);
        at += count;
      }
    }
  }
  return all;
}

// Rows are on rank 0 alone: it says what comes of them, or that nothing does.
Status Evaluator::finish(std::span<const double> state, Transport& transport, NamedValues& values) {
  if (row_metrics() == 0) return metrics().finish(state, {}, values);
  PLAIT_TRY(check_rows());
  PLAIT_ASSIGN(const MetricRows rows, gather_rows(transport));
  const std::vector<ReportedValue>& names = metrics().names();
  std::vector<double> numbers(1 + names.size(), 0.0);
  Status finished;
  if (transport.is_root()) {
    NamedValues made;
    finished = metrics().finish(state, rows, made);
    numbers[0] = finished ? 1 : 0;
    for (size_t v = 0; finished && v < made.size(); ++v) numbers[1 + v] = made[v].second;
  }
  const Status told = transport.broadcast(std::as_writable_bytes(std::span(numbers)), 0);
  PLAIT_TRY(finished);
  PLAIT_TRY(told);
  if (numbers[0] == 0) return {Code::kPeer, "rank 0 could not finish the metrics of its evaluation"};
  for (size_t v = 0; v < names.size(); ++v) values.emplace_back(names[v].name, numbers[1 + v]);
  return {};
}

Result<NamedValues> Evaluator::run(const PlainWeights& weights, Transport& transport, Replica* lent) {
  table_.assign(static_cast<size_t>(blocks_->count()) * width(), 0);
  rows_.assign(static_cast<size_t>(blocks_->count()), {});
  row_memory_->clear();
  const int64_t table_bytes = static_cast<int64_t>(table_.size() * sizeof(int64_t));
  bytes_shuffled_ = transport.size() > 1 ? transport.size() * table_bytes : 0;
  PLAIT_TRY(begin_there());
  const auto all_done = [this, &transport]() -> Status {
    PLAIT_TRY(read_there());
    return transport.all_reduce_sum(std::span(table_));
  };
  const auto block_done = [this](const BlockView& view) { return add_block(view); };
  PLAIT_TRY(blocks_->run(weights, {block_done, all_done}, lent));
  std::vector<double> summed(sums(), 0.0);
  for (size_t block = 0; block < rows_.size(); ++block)
    for (size_t i = 0; i < summed.size(); ++i)
      summed[i] += std::bit_cast<double>(table_[block * width() + i]);
  NamedValues values;
  PLAIT_TRY(finish(std::span(summed).subspan(2 * losses()), transport, values));
  if (losses() == 0 || blocks_->count() == 0) return values;
  PLAIT_TRY(add_losses(std::span(summed).first(2 * losses()), values));
  return values;
}

// Each is the mean of what it counts.
Status Evaluator::add_losses(std::span<const double> sums_and_counts, NamedValues& values) const {
  double total = 0;
  NamedValues each;
  for (size_t i = 0; i < losses(); ++i) {
    const HeadInfo& head = plan().network().losses[i];
    const double sum = sums_and_counts[i], count = sums_and_counts[losses() + i];
    if (count <= 0 && head.weights >= 0)
      return {Code::kInvalid, loss_place(head) + ": the weights of the records that are evaluated sum to " +
                                  std::to_string(count) + ", wanted more than 0"};
    if (count <= 0 && i == 0) return {};
    const double mean = count > 0 ? sum / count : 0;
    total += head.weight * mean;
    each.emplace_back(head.name, mean);
  }
  values.emplace_back("loss", total);
  if (each.size() > 1) values.insert(values.end(), each.begin(), each.end());
  return {};
}

}  // namespace plait::inline train
