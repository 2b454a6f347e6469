#include "plan/buckets.h"

#include <algorithm>

namespace plait::inline plan {
namespace {

int64_t& variable_extent(PartSpec& part) { return part.shape[static_cast<size_t>(part.variable_axis)]; }
int64_t variable_extent(const PartSpec& part) { return part.shape[static_cast<size_t>(part.variable_axis)]; }

// value <= kMostTensorElements
int64_t rounded_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

int64_t largest_extent(const std::vector<PartSpec>& parts) {
  int64_t largest = 0;
  for (const PartSpec& part : parts)
    if (part.variable_axis >= 0) largest = std::max(largest, variable_extent(part));
  return largest;
}

std::vector<PartSpec> halved(const std::vector<PartSpec>& bounds, int times) {
  std::vector<PartSpec> parts = bounds;
  for (PartSpec& part : parts) {
    if (part.variable_axis < 0) continue;
    int64_t& extent = variable_extent(part);
    const int64_t half = rounded_up(extent, int64_t{1} << times) >> times;
    extent = std::min(extent, rounded_up(half, Buckets::kStep));
  }
  return parts;
}

// Which part's lengths a tensor has is told by its bound.
bool tells_parts_apart(const std::vector<PartSpec>& bounds, const std::vector<PartSpec>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (parts[i].variable_axis < 0 || parts[j].variable_axis < 0) continue;
      const bool same_bound = variable_extent(bounds[i]) == variable_extent(bounds[j]);
      if (!same_bound && variable_extent(parts[i]) == variable_extent(parts[j])) return false;
    }
  }
  return true;
}

bool same_but_for_variable_axis(const PartSpec& a, const PartSpec& b) {
  if (a.dtype != b.dtype || a.variable_axis != b.variable_axis || a.shape.size() != b.shape.size())
    return false;
  for (size_t axis = 0; axis < a.shape.size(); ++axis) {
    if (static_cast<int>(axis) != a.variable_axis && a.shape[axis] != b.shape[axis]) return false;
  }
  return true;
}

bool same_network(const Network& a, const Network& b) {
  return std::ranges::equal(a.parameters, b.parameters, {}, &ParameterInfo::shape, &ParameterInfo::shape) &&
         std::ranges::equal(a.tensors, b.tensors, same_but_for_variable_axis, &TensorInfo::spec,
                            &TensorInfo::spec);
}

bool holds(const std::vector<PartSpec>& parts, std::span<const int32_t> longest) {
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].variable_axis >= 0 && longest[i] > variable_extent(parts[i])) return false;
  }
  return true;
}

}  // namespace

Result<Buckets> Buckets::create(const Job& job, const std::vector<PartSpec>& parts, int batch) {
  Buckets buckets(parts);
  if (largest_extent(parts) <= kStep) return buckets;
  PLAIT_ASSIGN(const Network whole, shape_network(job, parts, batch));
  for (int times = 1;; ++times) {
    std::vector<PartSpec> smaller = halved(parts, times);
    const bool last = largest_extent(smaller) <= kStep;
    const Result<Network> network = shape_network(job, smaller, batch);
    if (network && tells_parts_apart(parts, smaller) && same_network(whole, *network))
      buckets.sizes_.push_back(std::move(smaller));
    if (last) return buckets;
  }
}

size_t Buckets::holding(std::span<const int32_t> longest) const {
  size_t bucket = count() - 1;
  while (bucket > 0 && !holds(sizes_[bucket], longest)) --bucket;
  return bucket;
}

}  // namespace plait::inline plan
