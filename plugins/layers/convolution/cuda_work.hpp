// What kernels of convolutions of our own know of shapes: which numbers meet in which sum, on the way there
// and back. The kernels are in tiles.hpp.
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
};

// A row of the result: an output, or an input. Made once a block, kept in shared memory.
struct TileRow {
  int64_t sample;  // -1: behind the last row
  int at[3];
};
// A term of the sums: a tap, and a channel or filter of the group.
struct TileTerm {
  int at[3];
  int channel;  // -1: behind the last term
};

struct TileShape {
  CudaGrid grid;
  uint64_t rows;  // samples times outputs, or times inputs
  bool backward;  // rows are inputs, and terms taps and filters

  PLAIT_ANYWHERE uint64_t places() const { return backward ? grid.inputs : grid.outputs; }
  PLAIT_ANYWHERE uint64_t deep() const { return backward ? grid.group_filters : grid.group_channels; }
  PLAIT_ANYWHERE uint64_t columns() const { return backward ? grid.group_channels : grid.group_filters; }
  PLAIT_ANYWHERE uint64_t terms() const { return grid.taps * deep(); }

  PLAIT_ANYWHERE TileRow row(uint64_t number) const {
    if (number >= rows) return {-1, {0, 0, 0}};
    const auto by = plait::sdk::gpu::divide(number, places());
    const auto e =
        backward ? CudaGrid::split(by.remainder, grid.input) : CudaGrid::split(by.remainder, grid.output);
    return {static_cast<int64_t>(by.quotient),
            {static_cast<int>(e.at[0]), static_cast<int>(e.at[1]), static_cast<int>(e.at[2])}};
  }
  PLAIT_ANYWHERE TileTerm term(uint64_t number) const {
    if (number >= terms()) return {{0, 0, 0}, -1};
    const auto by = plait::sdk::gpu::divide(number, deep());
    const auto e = CudaGrid::split(by.quotient, grid.kernel);
    return {{static_cast<int>(e.at[0]), static_cast<int>(e.at[1]), static_cast<int>(e.at[2])},
            static_cast<int>(by.remainder)};
  }
  // The number that `row` reads for `term`, as an element of x or dy; -1: there is none.
  PLAIT_ANYWHERE int64_t read(const TileRow& row, const TileTerm& term, uint64_t group) const {
    if (row.sample < 0 || term.channel < 0) return -1;
    int64_t place = 0;
    for (int a = 0; a < 3; ++a) {
      int64_t at = row.at[a];
      const int64_t extent = backward ? grid.output[a] : grid.input[a];
      if (backward) {
        at += grid.padding[a] - term.at[a] * grid.dilation[a];
        if (grid.stride[a] != 1) {
          if (at < 0 || static_cast<int>(at) % static_cast<int>(grid.stride[a]) != 0) return -1;
          at = static_cast<int>(at) / static_cast<int>(grid.stride[a]);
        }
      } else {
        at = at * grid.stride[a] + term.at[a] * grid.dilation[a] - grid.padding[a];
      }
      if (at < 0 || at >= extent) return -1;
      place = place * extent + at;
    }
    const auto other = static_cast<int64_t>(backward ? grid.outputs : grid.inputs);
    const auto wide = static_cast<int64_t>(backward ? grid.filters : grid.channels);
    return (row.sample * other + place) * wide + static_cast<int64_t>(group * deep()) + term.channel;
  }
  // The weight between a column (a filter, or a channel) of the group and a term.
  PLAIT_ANYWHERE uint64_t weight(uint64_t group, uint64_t column, uint64_t term) const {
    if (!backward) return (group * grid.group_filters + column) * terms() + term;
    const auto by = plait::sdk::gpu::divide(term, grid.group_filters);
    return ((group * grid.group_filters + by.remainder) * grid.taps + by.quotient) * grid.group_channels +
           column;
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
