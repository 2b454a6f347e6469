// What is counted of an answer, on the host and on devices.
#pragma once
#include <plait/anywhere.hpp>

#include <cstdint>

namespace plait::accuracy {

// True when the score of class `label` is among the `top` highest; of equal scores the earlier class counts
// as higher. NaN is never right. Shapes: scores [classes]
PLAIT_ANYWHERE inline bool is_right(const float* scores, uint64_t classes, uint64_t label, int64_t top) {
  const float score = scores[label];
  if (score != score) return false;
  int64_t higher = 0;
  for (uint64_t i = 0; i < classes; ++i)
    higher += scores[i] > score || (scores[i] == score && i < label) ? 1 : 0;
  return higher < top;
}

}  // namespace plait::accuracy
