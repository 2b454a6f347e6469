#include "train/evaluate.h"

#include <algorithm>
#include <bit>

namespace plait {

Result<std::unique_ptr<Evaluator>> Evaluator::create(const BlockParts& parts, const Transport& transport) {
  std::unique_ptr<Evaluator> evaluator(new Evaluator);
  PLAIT_ASSIGN(evaluator->blocks_, Blocks::create(parts, transport.rank(), transport.size()));
  evaluator->registry_ = parts.registry;
  PLAIT_ASSIGN(evaluator->at_bound_, evaluator->metrics_of(evaluator->plan()));
  return evaluator;
}

Result<const Metrics*> Evaluator::metrics_of(const Plan& plan) {
  const std::lock_guard lock(metrics_mutex_);
  for (const auto& [known, metrics] : metrics_)
    if (known == &plan) return static_cast<const Metrics*>(metrics.get());
  PLAIT_ASSIGN(auto made, Metrics::create(*registry_, plan));
  if (at_bound_ != nullptr && made->state_size() != metrics().state_size()) {
    return Status(Code::kUnsupported, "a metric's state has " + std::to_string(metrics().state_size()) +
                                          " numbers at the bound of the samples' extents and " +
                                          std::to_string(made->state_size()) +
                                          " at smaller ones; wanted the same");
  }
  metrics_.emplace_back(&plan, std::move(made));
  return static_cast<const Metrics*>(metrics_.back().second.get());
}

// A row of the table: loss, samples, every loss, states; as bits, from the one rank that has the block.
Status Evaluator::add_block(const BlockView& view) {
  PLAIT_ASSIGN(const Metrics* const metrics, metrics_of(view.plan));
  std::vector<double> row(width(), 0.0);
  row[0] = view.result.loss_sum;
  row[1] = view.result.samples;
  std::ranges::copy(view.result.losses, row.begin() + 2);
  PLAIT_TRY(metrics->update(view.replica, view.batch, view.stream, std::span(row).subspan(2 + losses())));
  for (size_t i = 0; i < row.size(); ++i) {
    table_[static_cast<size_t>(view.block) * width() + i] = std::bit_cast<int64_t>(row[i]);
  }
  return {};
}

Result<NamedValues> Evaluator::run(const PlainWeights& weights, Transport& transport, Replica* lent) {
  table_.assign(static_cast<size_t>(blocks_->count()) * width(), 0);
  PLAIT_TRY(blocks_->run(weights,
                         {[this](const BlockView& view) { return add_block(view); },
                          [this, &transport] { return transport.all_reduce_sum(std::span(table_)); }},
                         lent));
  std::vector<double> sums(width(), 0.0);
  for (size_t i = 0; i < table_.size(); ++i) sums[i % width()] += std::bit_cast<double>(table_[i]);
  NamedValues values;
  PLAIT_TRY(metrics().finish(std::span(sums).subspan(2 + losses()), values));
  if (losses() == 0 || sums[1] <= 0) return values;
  values.emplace_back("loss", sums[0] / sums[1]);
  for (size_t i = 0; losses() > 1 && i < losses(); ++i)
    values.emplace_back(plan().network().losses[i].name, sums[2 + i] / sums[1]);
  return values;
}

Result<bool> Evaluator::higher_is_better(const std::string& name) const {
  for (const ReportedValue& metric : metrics().names())
    if (metric.name == name) return metric.higher_is_better;
  if (name == "loss" && losses() > 0) return false;
  for (const HeadInfo& loss : plan().network().losses)
    if (losses() > 1 && loss.name == name) return false;
  return Status(Code::kInvalid, "evaluate.monitor: nothing is reported as \"" + name + "\"");
}

std::vector<std::string> Evaluator::names() const {
  std::vector<std::string> all;
  for (const ReportedValue& metric : metrics().names()) all.push_back(metric.name);
  if (losses() > 0) all.push_back("loss");
  for (size_t i = 0; losses() > 1 && i < losses(); ++i) all.push_back(plan().network().losses[i].name);
  return all;
}

std::string Evaluator::default_monitor() const {
  if (!metrics().names().empty()) return metrics().names().front().name;
  return plan().losses().empty() ? "" : "loss";
}

}  // namespace plait
