#include "plan/buckets.h"

#include <algorithm>

namespace plait::inline plan {
namespace {

// value <= kMostTensorElements
int64_t rounded_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

int64_t largest_extent(const std::vector<PartSpec>& parts) {
  int64_t largest = 0;
  for (const PartSpec& part : parts)
    for (int k = 0; k < 2; ++k)
      if (part.varying(k) >= 0) largest = std::max(largest, part.bound(k));
  return largest;
}

std::vector<PartSpec> halved(const std::vector<PartSpec>& bounds, int times) {
  std::vector<PartSpec> parts = bounds;
  for (PartSpec& part : parts) {
    for (int k = 0; k < 2; ++k) {
      if (part.varying(k) < 0) continue;
      int64_t& extent = part.shape[static_cast<size_t>(part.varying(k))];
      const int64_t half = rounded_up(extent, int64_t{1} << times) >> times;
      extent = std::min(extent, rounded_up(half, Buckets::kStep));
    }
  }
  return parts;
}

bool same_but_for_variable_axes(const PartSpec& a, const PartSpec& b) {
  if (a.dtype != b.dtype || a.variable_axis != b.variable_axis || a.second_axis != b.second_axis ||
      a.shape.size() != b.shape.size())
    return false;
  for (size_t i = 0; i < a.shape.size(); ++i) {
    const int axis = static_cast<int>(i);
    if (axis != a.variable_axis && axis != a.second_axis && a.shape[i] != b.shape[i]) return false;
  }
  return true;
}

bool same_source(const ExtentSource& a, const ExtentSource& b) {
  return a.tensor == b.tensor && a.axis == b.axis && a.multiply == b.multiply && a.add == b.add &&
         a.divide == b.divide;
}

// Where a layer does not say whose extents its output has, its bound does: two that differ at the bound may
// be equal in a bucket.
bool same_tensor(const TensorInfo& a, const TensorInfo& b) {
  return same_but_for_variable_axes(a.spec, b.spec) && same_source(a.extents[0], b.extents[0]) &&
         same_source(a.extents[1], b.extents[1]);
}

bool same_network(const Network& a, const Network& b) {
  return std::ranges::equal(a.parameters, b.parameters, {}, &ParameterInfo::shape, &ParameterInfo::shape) &&
         std::ranges::equal(a.tensors, b.tensors, same_tensor);
}

bool holds(const std::vector<PartSpec>& parts, std::span<const BatchExtents> longest) {
  for (size_t i = 0; i < parts.size(); ++i) {
    for (int k = 0; k < 2; ++k)
      if (parts[i].varying(k) >= 0 && longest[i][static_cast<size_t>(k)] > parts[i].bound(k)) return false;
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
    if (network && same_network(whole, *network)) buckets.sizes_.push_back(std::move(smaller));
    if (last) return buckets;
  }
}

size_t Buckets::holding(std::span<const BatchExtents> longest) const {
  size_t bucket = count() - 1;
  while (bucket > 0 && !holds(sizes_[bucket], longest)) --bucket;
  return bucket;
}

}  // namespace plait::inline plan
