// What a thread of convolution.cu does where cuDNN is not asked: an output, an input's gradient, or rows of a
// weight's gradient. Right for every shape, and as simple as the sums are.
//
// w, and the sums of its gradient: [filters, taps, channels / groups].
#pragma once
#include <plait/cuda/divide.hpp>

#include "shape.hpp"

namespace convolution {

// The extents that kernels want. Place: of a sample, in the order of memory.
struct CudaGrid {
  int64_t input[3], output[3], kernel[3], stride[3], padding[3], dilation[3];
  uint64_t channels, filters, group_channels, group_filters, taps, outputs, inputs;

  explicit CudaGrid(const ConvolutionShape& s)
      : channels(s.channels),
        filters(s.filters),
        group_channels(s.channels / s.groups),
        group_filters(s.filters / s.groups),
        taps(s.window.taps()),
        outputs(s.window.outputs()),
        inputs(s.window.inputs()) {
    for (int a = 0; a < 3; ++a) {
      input[a] = s.window.input[a], output[a] = s.window.output[a], kernel[a] = s.window.kernel[a];
      stride[a] = s.window.stride[a], padding[a] = s.window.padding[a], dilation[a] = s.window.dilation[a];
    }
  }

  struct Extents {
    int64_t at[3];
  };
  PLAIT_ANYWHERE static Extents split(uint64_t place, const int64_t (&extents)[3]) {
    Extents e;
    for (int a = 2; a >= 0; --a) {
      const auto d = plait::sdk::gpu::divide(place, static_cast<uint64_t>(extents[a]));
      e.at[a] = static_cast<int64_t>(d.remainder), place = d.quotient;
    }
    return e;
  }
  // The input that tap `tap` of output `out` reads, a place; -1 in the padding.
  PLAIT_ANYWHERE int64_t read_by(const Extents& out, const Extents& tap) const {
    int64_t place = 0;
    for (int a = 0; a < 3; ++a) {
      const int64_t at = out.at[a] * stride[a] + tap.at[a] * dilation[a] - padding[a];
      if (at < 0 || at >= input[a]) return -1;
      place = place * input[a] + at;
    }
    return place;
  }
  // The output whose tap `tap` reads input `in`, a place; -1: there is none.
  PLAIT_ANYWHERE int64_t reader_of(const Extents& in, const Extents& tap) const {
    int64_t place = 0;
    for (int a = 0; a < 3; ++a) {
      const int64_t from = in.at[a] + padding[a] - tap.at[a] * dilation[a];
      if (from < 0 || from % stride[a] != 0 || from / stride[a] >= output[a]) return -1;
      place = place * output[a] + from / stride[a];
    }
    return place;
  }
};

// y[n, p, f], without bias and activation.
struct ConvolveForward {
  CudaGrid grid;
  const float *x, *w;
  float* y;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const auto by_filter = plait::sdk::gpu::divide(i, grid.filters);
    const auto by_sample = plait::sdk::gpu::divide(by_filter.quotient, grid.outputs);
    const auto out = CudaGrid::split(by_sample.remainder, grid.output);
    const uint64_t first = by_filter.remainder / grid.group_filters * grid.group_channels;
    const float* from = w + by_filter.remainder * grid.taps * grid.group_channels;
    float sum = 0;
    for (uint64_t tap = 0; tap < grid.taps; ++tap, from += grid.group_channels) {
      const int64_t place = grid.read_by(out, CudaGrid::split(tap, grid.kernel));
      if (place < 0) continue;
      const float* const at =
          x + (by_sample.quotient * grid.inputs + static_cast<uint64_t>(place)) * grid.channels + first;
      for (uint64_t c = 0; c < grid.group_channels; ++c) sum += at[c] * from[c];
    }
    y[i] = sum;
  }
};

// dx[n, p, c]
struct ConvolveInputGradient {
  CudaGrid grid;
  const float *dy, *w;
  float* dx;
  bool accumulate;

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const auto by_channel = plait::sdk::gpu::divide(i, grid.channels);
    const auto by_sample = plait::sdk::gpu::divide(by_channel.quotient, grid.inputs);
    const auto in = CudaGrid::split(by_sample.remainder, grid.input);
    const uint64_t group = by_channel.remainder / grid.group_channels;
    const uint64_t channel = by_channel.remainder % grid.group_channels;
    float sum = accumulate ? dx[i] : 0.0f;
    for (uint64_t tap = 0; tap < grid.taps; ++tap) {
      const int64_t place = grid.reader_of(in, CudaGrid::split(tap, grid.kernel));
      if (place < 0) continue;
      const uint64_t row = by_sample.quotient * grid.outputs + static_cast<uint64_t>(place);
      for (uint64_t k = 0; k < grid.group_filters; ++k) {
        const uint64_t f = group * grid.group_filters + k;
        sum += dy[row * grid.filters + f] * w[(f * grid.taps + tap) * grid.group_channels + channel];
      }
    }
    dx[i] = sum;
  }
};

// For gpu::sum_columns: rows are outputs [n, p], columns the weights as they are stored.
struct ConvolveWeightGradient {
  static constexpr unsigned kSums = 1;
  CudaGrid grid;
  const float *x, *dy;

  PLAIT_ANYWHERE void add(uint64_t at, uint64_t weight, double* sums) const {
    const uint64_t row = (at - weight) / (grid.filters * grid.taps * grid.group_channels);
    const auto by_channel = plait::sdk::gpu::divide(weight, grid.group_channels);
    const auto by_tap = plait::sdk::gpu::divide(by_channel.quotient, grid.taps);
    const auto by_sample = plait::sdk::gpu::divide(row, grid.outputs);
    const int64_t place = grid.read_by(CudaGrid::split(by_sample.remainder, grid.output),
                                       CudaGrid::split(by_tap.remainder, grid.kernel));
    if (place < 0) return;
    const uint64_t f = by_tap.quotient;
    const uint64_t c = f / grid.group_filters * grid.group_channels + by_channel.remainder;
    sums[0] += static_cast<double>(
                   x[(by_sample.quotient * grid.inputs + static_cast<uint64_t>(place)) * grid.channels + c]) *
               static_cast<double>(dy[row * grid.filters + f]);
  }
};

// Of each filter [rows, columns] becomes [columns, rows], for gpu::map.
struct TurnedWeights {
  uint64_t rows, columns;
  const float* from;
  float* to;

  PLAIT_ANYWHERE float load(uint64_t i) const {
    const auto by_row = plait::sdk::gpu::divide(i, rows);
    const auto by_column = plait::sdk::gpu::divide(by_row.quotient, columns);
    return from[(by_column.quotient * rows + by_row.remainder) * columns + by_column.remainder];
  }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const { to[i] = value; }
};

// The gradient of weight [filter, tap, channel], in plain order.
struct KeepPlain {
  uint64_t channels, taps;
  float* to;

  PLAIT_ANYWHERE void operator()(uint64_t weight, const double* sums) const {
    const auto by_channel = plait::sdk::gpu::divide(weight, channels);
    const auto by_tap = plait::sdk::gpu::divide(by_channel.quotient, taps);
    to[(by_tap.quotient * channels + by_channel.remainder) * taps + by_tap.remainder] =
        static_cast<float>(sums[0]);
  }
};

}  // namespace convolution
