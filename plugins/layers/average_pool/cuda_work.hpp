// What a thread of average_pool.cu does.
#pragma once
#include <plait/cuda/window.hpp>

namespace layers {

using plait::sdk::gpu::WindowGrid;

template <class Index>
struct AveragePoolGrid : WindowGrid<Index> {
  bool include_padding;

  // 1 / the number of a window's places.
  PLAIT_ANYWHERE float factor(const typename WindowGrid<Index>::Place& of) const {
    Index count = 1;
    for (int a = 0; a < 3; ++a) {
      const auto inside = this->taps(a, of.at[a]);
      count *= include_padding ? this->kernel[a] : inside.end - inside.begin;
    }
    return 1.0f / static_cast<float>(count);
  }
};

// Element i of y.
template <class Index>
struct AveragePoolForward {
  AveragePoolGrid<Index> grid;
  const float* x;
  float* y;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const auto output = grid.place(static_cast<Index>(i), grid.output);
    float sum = 0;
    grid.each_tap(output, [&](Index, Index at) { sum += x[at]; });
    y[i] = sum * grid.factor(output);
  }
};

// Element i of dx: its share of the gradients of all outputs that it is in, in their order.
template <class Index>
struct AveragePoolBackward {
  AveragePoolGrid<Index> grid;
  const float* dy;
  float* dx;
  bool accumulate;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    float sum = accumulate ? dx[i] : 0.0f;
    grid.each_window(grid.place(static_cast<Index>(i), grid.input), [&](Index, const auto& output) {
      sum += dy[grid.element(output, grid.output)] * grid.factor(output);
    });
    dx[i] = sum;
  }
};

}  // namespace layers
