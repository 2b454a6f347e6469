// What softmax and its logarithm do with a row of scores: the largest, and each one's e^(x - largest).
// Optional; sdk.hpp does not include it. For functions that are marked PLAIT_FAST, of which they become a
// part. Threads: [any]
#pragma once
#include <plait/functions.hpp>

namespace plait::sdk {

// The largest of count scores, 1 or more. Of a row with NaN it may be any of them, or NaN: either makes NaN
// of the row's sum.
PLAIT_INLINE float largest_of(const float* x, size_t count) {
  using Lanes = float __attribute__((vector_size(64)));
  constexpr size_t kLanes = 16;
  float most = x[0];
  size_t i = 1;
  if (count >= kLanes) {
    Lanes best, next;
    __builtin_memcpy(&best, x, sizeof best);
    for (i = kLanes; i + kLanes <= count; i += kLanes) {
      __builtin_memcpy(&next, x + i, sizeof next);
      best = next > best ? next : best;
    }
    most = best[0];
    for (size_t j = 1; j < kLanes; ++j) most = best[j] > most ? best[j] : most;
  }
  for (; i < count; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// e^less of a score less the row's largest; 0 where exp_of would give its least, so that a score of -infinity
// has no share.
PLAIT_INLINE float share_of(float less) { return chosen(less < -87.0f, 0.0f, exp_of(less)); }

}  // namespace plait::sdk
