#include "mapreduce/accumulators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <plait/sdk/total_order.hpp>
#include <utility>

#include "base/checked.h"
#include "registry/shape_text.h"

namespace plait::inline mapreduce {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_sum(uint32_t rule) { return rule == PLAIT_ACCUMULATE_SUM || rule == PLAIT_ACCUMULATE_MEAN; }
bool is_extreme(uint32_t rule) {
  return rule == PLAIT_ACCUMULATE_MINIMUM || rule == PLAIT_ACCUMULATE_MAXIMUM;
}
double first_of(uint32_t rule) {
  if (!is_extreme(rule)) return 0;
  return rule == PLAIT_ACCUMULATE_MINIMUM ? kInfinity : -kInfinity;
}
size_t elements_of(const PartSpec& spec) { return static_cast<size_t>(element_count(spec.shape)); }

Status no_number(const PartSpec& spec, size_t element, double value) {
  return {Code::kNumeric,
          fmt::format("element {} of the accumulator {} became {}", element, spec.name, value)};
}

Status too_many(const PartSpec& spec, size_t element) {
  return {Code::kNumeric,
          fmt::format("element {} of the accumulator {} is beyond 64 bits", element, spec.name)};
}

}  // namespace

plait_tensor view(const PartSpec& spec, const std::vector<int64_t>& shape, void* data) {
  plait_tensor tensor{};
  tensor.struct_size = sizeof tensor;
  tensor.dtype = spec.dtype;
  tensor.rank = static_cast<int32_t>(shape.size());
  tensor.variable_axis = -1;
  tensor.shape = shape.data();
  tensor.data = data;
  tensor.name = spec.name.c_str();
  return tensor;
}

// ---- of a split

SplitArrays::SplitArrays(const std::vector<TaskForm::Accumulator>& accumulators, uint64_t most_row_bytes)
    : accumulators_(accumulators),
      most_row_bytes_(most_row_bytes),
      reals_(accumulators.size()),
      counts_(accumulators.size()),
      rows_(accumulators.size()) {
  taker_ = {sizeof taker_, 0, this, append};
  for (size_t i = 0; i < accumulators.size(); ++i) {
    const PartSpec& spec = accumulators[i].spec;
    plait_tensor& tensor = tensors_.emplace_back(view(spec, spec.shape, nullptr));
    if (accumulators[i].rule == PLAIT_ACCUMULATE_ROWS) continue;
    if (accumulators[i].rule == PLAIT_ACCUMULATE_COUNT) {
      counts_[i].resize(elements_of(spec));
      tensor.data = counts_[i].data();
    } else {
      reals_[i].resize(elements_of(spec));
      tensor.data = reals_[i].data();
    }
  }
  for (const plait_tensor& tensor : tensors_) pointers_.push_back(&tensor);
}

void SplitArrays::begin() {
  failure_ = {};
  row_bytes_ = 0;
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    std::ranges::fill(reals_[i], first_of(accumulators_[i].rule));
    std::ranges::fill(counts_[i], 0);
    rows_[i].clear();
  }
}

void SplitArrays::put_into(plait_task_call& call) const {
  call.n_accumulators = static_cast<uint32_t>(pointers_.size());
  call.accumulators = pointers_.data();
  call.rows = &taker_;
}

int SplitArrays::append(const plait_row_taker* taker, uint32_t accumulator, int64_t count, const void* rows) {
  auto& self = *static_cast<SplitArrays*>(taker->host_data);
  const auto refuse = [&](Code code, std::string why) {
    if (self.failure_) self.failure_ = {code, std::move(why)};
    return PLAIT_FAILED;
  };
  if (accumulator >= self.accumulators_.size() ||
      self.accumulators_[accumulator].rule != PLAIT_ACCUMULATE_ROWS)
    return refuse(Code::kPlugin, fmt::format("rows for accumulator {}, which takes none", accumulator));
  if (count < 0 || (rows == nullptr && count > 0))
    return refuse(Code::kPlugin, fmt::format("{} rows of nothing", count));
  const PartSpec& spec = self.accumulators_[accumulator].spec;
  const uint64_t bytes = product_or_most(byte_count(spec), static_cast<uint64_t>(count));
  self.row_bytes_ = sum_or_most(self.row_bytes_, bytes);
  if (self.row_bytes_ > self.most_row_bytes_)
    return refuse(
        Code::kInvalid,
        fmt::format("the rows of {} that one split makes take more than the stage's memory, {} bytes; "
                    "a smaller split has fewer",
                    spec.name, self.most_row_bytes_));
  const auto* from = static_cast<const std::byte*>(rows);
  Bytes& to = self.rows_[accumulator];
  to.insert(to.end(), from, from + bytes);
  return PLAIT_OK;
}

// ---- of a rank

RankArrays::RankArrays(const std::vector<TaskForm::Accumulator>& accumulators, uint64_t memory_bytes)
    : accumulators_(accumulators),
      sums_(accumulators.size()),
      reals_(accumulators.size()),
      counts_(accumulators.size()),
      rows_(accumulators.size()),
      memory_bytes_(memory_bytes) {}

void RankArrays::begin() {
  held_row_bytes_ = 0;
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    const auto& [rule, spec] = accumulators_[i];
    rows_[i].begin();
    if (rule == PLAIT_ACCUMULATE_ROWS) continue;
    if (rule == PLAIT_ACCUMULATE_COUNT) {
      counts_[i].assign(elements_of(spec), 0);
      continue;
    }
    reals_[i].assign(elements_of(spec), first_of(rule));
    if (is_sum(rule)) sums_[i].assign(elements_of(spec), {});
  }
}

Status RankArrays::fold(int64_t split, SplitArrays& from) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    if (accumulators_[i].rule == PLAIT_ACCUMULATE_ROWS) {
      const uint64_t held = held_row_bytes_ + from.rows_[i].size();
      const bool in_memory = held <= memory_bytes_;
      if (in_memory) held_row_bytes_ = held;
      PLAIT_TRY(rows_[i].keep(split, std::exchange(from.rows_[i], {}), in_memory));
    } else {
      PLAIT_TRY(fold_one(i, from));
    }
  }
  return {};
}

Status RankArrays::fold_one(size_t place, SplitArrays& from) {
  const auto& [rule, spec] = accumulators_[place];
  if (rule == PLAIT_ACCUMULATE_COUNT) {
    for (size_t e = 0; e < counts_[place].size(); ++e)
      if (__builtin_add_overflow(counts_[place][e], from.counts_[place][e], &counts_[place][e]))
        return too_many(spec, e);
    return {};
  }
  const std::vector<double>& values = from.reals_[place];
  const bool may_be_infinite = is_extreme(rule);
  for (size_t e = 0; e < values.size(); ++e)
    if (std::isnan(values[e]) || (!may_be_infinite && std::isinf(values[e])))
      return no_number(spec, e, values[e]);
  std::vector<double>& mine = reals_[place];
  for (size_t e = 0; e < values.size(); ++e) {
    if (is_extreme(rule)) {
      const bool is_smallest = rule == PLAIT_ACCUMULATE_MINIMUM;
      if (is_smallest ? sdk::is_below(values[e], mine[e]) : sdk::is_below(mine[e], values[e]))
        mine[e] = values[e];
    } else {
      sums_[place][e].add(values[e]);
    }
  }
  return {};
}

Status RankArrays::reduce(Transport& transport, int64_t records, uint64_t& sent_bytes) {
  PLAIT_TRY(reduce_sums(transport, sent_bytes));
  int64_t row_bytes = 0;
  for (const RowStore& rows : rows_) row_bytes += static_cast<int64_t>(rows.bytes());
  PLAIT_TRY(transport.all_reduce_sum(std::span(&row_bytes, 1)));
  // What no rank had to write is then in memory everywhere.
  const bool in_memory = static_cast<uint64_t>(row_bytes) <= memory_bytes_;
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    const auto& [rule, spec] = accumulators_[i];
    if (rule == PLAIT_ACCUMULATE_ROWS) PLAIT_TRY(rows_[i].join(transport, in_memory, sent_bytes));
    for (size_t e = 0; e < reals_[i].size(); ++e) {
      if (is_sum(rule) && std::isinf(reals_[i][e])) return no_number(spec, e, reals_[i][e]);
      if (rule == PLAIT_ACCUMULATE_MEAN) reals_[i][e] /= static_cast<double>(std::max<int64_t>(1, records));
    }
  }
  return {};
}

Status RankArrays::reduce_sums(Transport& transport, uint64_t& sent_bytes) {
  const int ranks = transport.size();
  std::vector<BlockReduction> blocks;
  std::vector<Reduction> others;
  std::vector<std::vector<int64_t>> places(accumulators_.size());
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    const auto& [rule, spec] = accumulators_[i];
    if (rule == PLAIT_ACCUMULATE_COUNT) {
      // What each rank has fits, but what all have might not.
      const int64_t bound = std::numeric_limits<int64_t>::max() / ranks;
      for (size_t e = 0; e < counts_[i].size(); ++e)
        if (ranks > 1 && (counts_[i][e] > bound || counts_[i][e] < -bound)) return too_many(spec, e);
      others.push_back(Reduction::sum(std::span(counts_[i])));
    }
    // An extreme travels as its place among all numbers, a minimum as the maximum of the places from above.
    if (is_extreme(rule)) {
      for (const double value : reals_[i])
        places[i].push_back(rule == PLAIT_ACCUMULATE_MINIMUM ? ~sdk::place_of(value) : sdk::place_of(value));
      others.push_back(Reduction::max(std::span(places[i])));
    }
    // Of each element, counts and extremes alike, eight bytes.
    if (!is_sum(rule) && ranks > 1) sent_bytes += (counts_[i].size() + places[i].size()) * sizeof(int64_t);
    if (!is_sum(rule)) continue;
    BlockReduction& block = blocks.emplace_back();
    block.elements = reals_[i].size();
    block.columns = {{reinterpret_cast<std::byte*>(reals_[i].data()), sizeof(double)},
                     {reinterpret_cast<std::byte*>(sums_[i].data()), sizeof(sdk::OrderFreeSum)}};
    block.add = [this, i](size_t first, size_t count, std::span<const std::byte* const> other) {
      const auto* sums = reinterpret_cast<const sdk::OrderFreeSum*>(other[1]);
      for (size_t e = 0; e < count; ++e) sums_[i][first + e].add(sums[e].c());
    };
    block.finish = [this, i](size_t first, size_t count) {
      for (size_t e = first; e < first + count; ++e) reals_[i][e] = sums_[i][e].value();
    };
    if (ranks > 1) sent_bytes += block.elements * (sizeof(double) + sizeof(sdk::OrderFreeSum));
  }
  if (!others.empty()) PLAIT_TRY(transport.all_reduce(others));
  if (!blocks.empty()) PLAIT_TRY(transport.reduce_blocks(blocks));
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    const bool is_smallest = accumulators_[i].rule == PLAIT_ACCUMULATE_MINIMUM;
    for (size_t e = 0; e < places[i].size(); ++e)
      reals_[i][e] = sdk::number_at(is_smallest ? ~places[i][e] : places[i][e]);
  }
  return {};
}

uint64_t RankArrays::spilled_bytes() const {
  uint64_t sum = 0;
  for (const RowStore& rows : rows_) sum += rows.spilled_bytes();
  return sum;
}

std::string_view RankArrays::bytes(size_t place) const {
  const auto view = [](const auto& values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(values.front()));
  };
  if (accumulators_[place].rule == PLAIT_ACCUMULATE_ROWS) return rows_[place].joined();
  if (accumulators_[place].rule == PLAIT_ACCUMULATE_COUNT) return view(counts_[place]);
  return view(reals_[place]);
}

}  // namespace plait::inline mapreduce
