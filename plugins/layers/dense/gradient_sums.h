// What undoes an absorbed function in a batch of output gradients, and sums them over the batch, in an order
// that the sizes alone decide: eight sums of every eighth sample, one after the other.
//
// Shapes: y, dy, undone [batch, units]; bias_gradient [units].
// Threads: [any]
#pragma once
#include <plait/absorbed.hpp>
#include <plait/anywhere.hpp>

#include <cstdint>

namespace gradient_sums {

inline constexpr unsigned kColumns = 32, kParts = 8;  // of a block

struct Work {
  uint64_t batch, units;
  plait::sdk::Absorbed f;
  const float* y;  // null where f's slope does not look at it
  const float* dy;
  float* undone;         // null: not wanted
  float* bias_gradient;  // null: not wanted
};

// Undoes samples part, part + kParts, ... of column u, and sums them.
PLAIT_ANYWHERE inline float part_of_column(const Work& w, uint64_t u, unsigned part) {
  float sum = 0;
  for (uint64_t n = part; n < w.batch; n += kParts) {
    const uint64_t i = n * w.units + u;
    const float d = w.f.slope(w.y ? w.y[i] : 0) * w.dy[i];
    if (w.undone) w.undone[i] = d;
    sum += d;
  }
  return sum;
}

}  // namespace gradient_sums
