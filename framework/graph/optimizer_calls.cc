#include "graph/optimizer_calls.h"

#include <algorithm>

namespace plait::inline graph {
namespace {

// Parameters begin at multiples of this many elements; what is between them is padding, zero for ever.
constexpr uint64_t kStep = kAlignment / sizeof(float);

bool neighbours(const UpdateRange& a, const UpdateRange& b) {
  return b.begin - (a.begin + a.count) < kStep && a.flags == b.flags &&
         a.rate_multiplier == b.rate_multiplier;
}

// Whose plain order calls may need.
std::vector<int> copied(const OptimizerInstance& optimizer, const std::vector<UpdateRange>& ranges) {
  std::vector<int> parameters;
  for (const UpdateRange& range : ranges)
    if (optimizer.plain()) parameters.push_back(range.parameter);
  return parameters;
}

}  // namespace

std::vector<UpdateRange> update_ranges(const Plan& plan, std::vector<int> parameters, bool join) {
  const auto place = [&](int number) -> const ParameterPlace& {
    return plan.parameters()[static_cast<size_t>(number)];
  };
  std::ranges::sort(parameters, {}, [&](int number) { return place(number).offset; });
  std::vector<UpdateRange> ranges;
  for (int number : parameters) {
    const ParameterInfo& info = plan.network().parameters[static_cast<size_t>(number)];
    const UpdateRange range{place(number).offset, place(number).stored, info.flags, info.rate_multiplier,
                            number};
    if (join && !ranges.empty() && neighbours(ranges.back(), range)) {
      ranges.back().count = range.begin + range.count - ranges.back().begin;
      ranges.back().parameter = -1;
    } else {
      ranges.push_back(range);
    }
  }
  return ranges;
}

void name_parameter(const Plan& plan, int parameter, plait_optimizer_call& call) {
  const ParameterInfo& info = plan.network().parameters[static_cast<size_t>(parameter)];
  call.name = info.name.c_str();
  call.shape = info.shape.data();
  call.rank = static_cast<int32_t>(info.shape.size());
  const bool is_in_order = !PlainCopy::is_needed(plan, parameter);
  call.is_plain = is_in_order && call.count == info.elements ? 1 : 0;
}

OptimizerCalls::OptimizerCalls(const OptimizerInstance& optimizer, const Plan& plan,
                               const ReplicaMemory& memory, const std::vector<UpdateRange>& ranges)
    : optimizer_(optimizer),
      plan_(plan),
      ranges_(ranges),
      slots_(ranges.size()),
      runtime_(ranges.size(), std::vector<double>(optimizer.runtime_fields())),
      copy_(plan, copied(optimizer, ranges), memory.slots()) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    for (size_t slot = 0; slot < memory.slots(); ++slot)
      slots_[i].push_back(memory.slot(slot, ranges[i].begin));
    plait_optimizer_call call{};
    call.struct_size = sizeof call;
    call.flags = ranges[i].flags;
    call.count = ranges[i].count;
    call.weights = memory.weights(ranges[i].begin);
    call.gradients = memory.gradients(ranges[i].begin);
    call.slots = slots_[i].data();
    call.runtime = runtime_[i].data();
    if (ranges[i].parameter >= 0) name_parameter(plan, ranges[i].parameter, call);
    calls_.push_back(call);
  }
}

void OptimizerCalls::prepare(size_t range, const StepKey& key, const Facts& facts) {
  std::vector<double>& runtime = runtime_[range];
  std::ranges::copy(key.runtime.first(runtime.size()), runtime.begin());
  if (const int rate = optimizer_.rate_field(); rate >= 0)
    runtime[static_cast<size_t>(rate)] *= ranges_[range].rate_multiplier;
  plait_optimizer_call& call = calls_[range];
  call.step = key.step;
  call.updates = key.updates;
  call.observed = facts.observed;
  call.loss = facts.loss;
  call.is_second = facts.is_second ? 1 : 0;
}

}  // namespace plait::inline graph
