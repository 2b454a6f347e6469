// Extents at which batches of samples of variable extent are computed.
//
// Bucket 0 is the bound. Bucket k holds, along every variable axis, the k-th half of the bound, rounded up to
// a multiple of kStep: 100, 56, 32, 16, 8. A batch is computed in the smallest bucket that holds its longest
// sample, whichever rank or thread computes it, so buckets follow from the job and the batch's records alone.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "plan/network.h"

namespace plait::inline plan {

// Along the first and the second variable axis of a part.
using BatchExtents = std::array<int32_t, 2>;

// Threads: [any]
class Buckets {
 public:
  static constexpr int64_t kStep = 8;

  // The bound alone.
  explicit Buckets(const std::vector<PartSpec>& parts) : sizes_{parts} {}
  // All buckets of these parts (without N) in which the job's network is the same: its shapes are accepted
  // and differ from those at the bound along variable axes only, and every tensor has its extents from the
  // same. So a network of which some weight belongs to a place in the sample has one bucket, the bound.
  // Fails with: what shape_network reports at the bound.
  static Result<Buckets> create(const Job& job, const std::vector<PartSpec>& parts, int batch);

  size_t count() const { return sizes_.size(); }
  // Parts with the bucket's extents in place of the bounds.
  const std::vector<PartSpec>& parts(size_t bucket) const { return sizes_[bucket]; }
  // The smallest bucket for samples whose longest extents along the variable axes are these.
  // Shapes: longest [parts], 0 where there is no variable axis
  size_t holding(std::span<const BatchExtents> longest) const;

 private:
  std::vector<std::vector<PartSpec>> sizes_;  // from the largest
};

}  // namespace plait::inline plan
