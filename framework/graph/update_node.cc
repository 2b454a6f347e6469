#include "graph/update_node.h"

#include <algorithm>

namespace plait {
namespace {

// Parameters begin at multiples of this many elements; what is between them is padding, zero for ever.
constexpr uint64_t kStep = kAlignment / sizeof(float);

bool neighbours(const UpdateRange& a, const UpdateRange& b) {
  return b.begin - (a.begin + a.count) < kStep && a.flags == b.flags &&
         a.rate_multiplier == b.rate_multiplier;
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
    const UpdateRange range{place(number).offset, place(number).stored, info.flags, info.rate_multiplier};
    if (join && !ranges.empty() && neighbours(ranges.back(), range)) {
      ranges.back().count = range.begin + range.count - ranges.back().begin;
    } else {
      ranges.push_back(range);
    }
  }
  return ranges;
}

OptimizerCalls::OptimizerCalls(const OptimizerInstance& optimizer, const ReplicaMemory& memory,
                               const std::vector<UpdateRange>& ranges)
    : optimizer_(optimizer),
      ranges_(ranges),
      slots_(ranges.size()),
      runtime_(ranges.size(), std::vector<double>(optimizer.runtime_fields())) {
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
    calls_.push_back(call);
  }
}

const std::vector<plait_optimizer_call>& OptimizerCalls::at(const StepKey& key, double observed) {
  for (size_t i = 0; i < calls_.size(); ++i) {
    std::ranges::copy(key.runtime.first(runtime_[i].size()), runtime_[i].begin());
    if (const int rate = optimizer_.rate_field(); rate >= 0) {
      runtime_[i][static_cast<size_t>(rate)] *= ranges_[i].rate_multiplier;
    }
    calls_[i].step = key.step;
    calls_[i].updates = key.updates;
    calls_[i].observed = observed;
  }
  return calls_;
}

UpdateNode::UpdateNode(const NodeSetup& setup, const OptimizerInstance& optimizer,
                       const ReplicaMemory& memory, const std::vector<UpdateRange>& ranges,
                       const double* observed, std::string place, std::string name)
    : Node(setup, std::move(place), std::move(name), "update"),
      optimizer_(optimizer),
      observed_(observed),
      calls_(optimizer, memory, ranges) {
  for (const UpdateRange& range : ranges) {
    reads(Space::kGradients, range.begin, range.count);
    writes(Space::kWeights, range.begin, range.count);
  }
  if (observed != nullptr) reads(Space::kObserved, 0, 1);
}

int UpdateNode::call(const StepKey& key) {
  for (const plait_optimizer_call& range : calls_.at(key, observed_ == nullptr ? 0 : *observed_)) {
    if (optimizer_.step(context(), range) != PLAIT_OK) return PLAIT_FAILED;
  }
  return PLAIT_OK;
}

ObserveNode::ObserveNode(const NodeSetup& setup, const OptimizerInstance& optimizer,
                         const ReplicaMemory& memory, const std::vector<UpdateRange>& ranges,
                         double* observed)
    : Node(setup, "optimizer", "optimizer", "update"),
      optimizer_(optimizer),
      observed_(observed),
      calls_(optimizer, memory, ranges) {
  for (const UpdateRange& range : ranges) {
    reads(Space::kGradients, range.begin, range.count);
    reads(Space::kWeights, range.begin, range.count);
  }
  writes(Space::kObserved, 0, 1);
}

int ObserveNode::call(const StepKey& key) {
  *observed_ = 0;
  for (const plait_optimizer_call& range : calls_.at(key, 0)) {
    if (optimizer_.observe(context(), range, observed_) != PLAIT_OK) return PLAIT_FAILED;
  }
  return PLAIT_OK;
}

}  // namespace plait
