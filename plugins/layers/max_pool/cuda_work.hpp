// What a thread of max_pool.cu does.
#pragma once
#include <plait/cuda/window.hpp>

#include <cmath>

namespace layers {

using plait::sdk::gpu::WindowGrid;

// Element i of y, and the tap that it is from, where `places` is not null. NaN is passed on.
template <class Index, class Tap>
struct MaxPoolForward {
  WindowGrid<Index> grid;
  const float* x;
  float* y;
  Tap* places;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    float best = -HUGE_VALF;
    Index place = 0;
    bool is_first = true;
    grid.each_tap(grid.place(static_cast<Index>(i), grid.output), [&](Index tap, Index at) {
      const float value = x[at];
      if (is_first || value > best || value != value) best = value, place = tap;
      is_first = false;
    });
    y[i] = best;
    if (places) places[i] = static_cast<Tap>(place);
  }
};

// Element i of dx: gradients of the outputs that took it, in their order.
template <class Index, class Tap>
struct MaxPoolBackward {
  WindowGrid<Index> grid;
  const float* dy;
  const Tap* places;
  float* dx;
  bool accumulate;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    float sum = accumulate ? dx[i] : 0.0f;
    grid.each_window(grid.place(static_cast<Index>(i), grid.input), [&](Index tap, const auto& place) {
      const Index at = grid.element(place, grid.output);
      if (static_cast<Index>(places[at]) == tap) sum += dy[at];
    });
    dx[i] = sum;
  }
};

}  // namespace layers
