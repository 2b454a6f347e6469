// Whole numbers within the ranges that layers declare for their inputs, and extents of samples that layers'
// windows fit into, held against a batch before any layer sees it: what is out of range is the data's, and is
// named as such.
#pragma once
#include <plait/abi.h>

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/network.h"

namespace plait::inline graph {

// Part `part` holds whole numbers, low <= x < high; or weights of samples, finite and not negative; or its
// samples reach at least `low` far along variable axis number `extent_of`.
struct PartRange {
  size_t part = 0;
  int64_t low = 0, high = 0;
  std::string wanted_by;  // "embedding "e1" (words.txtpb:9:3)"
  bool is_weight = false;
  int extent_of = -1;  // 0 or 1; -1: of numbers
};

// Of the layers whose inputs are parts of the samples, of the weights of losses, and of the layers by whose
// rule a sample would have nothing left.
std::vector<PartRange> part_ranges(const Network& network);

// `batch`: a tensor per part, [N, ...], on the host; what lies past a sample's length is not looked at.
// `sample_name(n)`: "record 17". Fails with: kInvalid naming part, sample, place, number and range.
Status check_part_ranges(const std::vector<PartRange>& ranges, const plait_tensor* const* batch,
                         const std::function<std::string(size_t n)>& sample_name);

}  // namespace plait::inline graph
