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

// A row of the result: an output, or an input.
struct TileRow {
  int64_t first;  // place of the sample's first number among what is read; -1: past the last row
  int at[3];  // what the tap of number 0 reads, in the extents of what is read, times the stride on the way
              // back
};
// A term of the sums: a tap, and a channel or filter of the group.
struct TileTerm {
  int at[3];    // how far from that of tap 0 the tap reads
  int channel;  // -1: past the last term
  uint64_t weight;
};

// Which numbers meet. On the way there rows are outputs, terms taps and channels, columns filters; on the way
// back rows are inputs, terms taps and filters, columns channels.
struct TileShape {
  bool backward;
  uint64_t rows, columns, deep, terms;  // deep: channels or filters that a tap has; columns: of a group
  int extent[3], stride[3];             // of what is read; strides on the way back, else 1

  TileShape(const CudaGrid& g, uint64_t rows_, bool backward_)
      : backward(backward_),
        rows(rows_),
        columns(backward ? g.group_channels : g.group_filters),
        deep(backward ? g.group_filters : g.group_channels),
        terms(g.taps * deep),
        grid(g) {
    for (int a = 0; a < 3; ++a) {
      extent[a] = static_cast<int>(backward ? g.output[a] : g.input[a]);
      stride[a] = backward ? static_cast<int>(g.stride[a]) : 1;
    }
  }

  PLAIT_ANYWHERE TileRow row(uint64_t number) const {
    if (number >= rows) return {-1, {0, 0, 0}};
    const auto by = plait::sdk::gpu::divide(number, backward ? grid.inputs : grid.outputs);
    const auto e =
        backward ? CudaGrid::split(by.remainder, grid.input) : CudaGrid::split(by.remainder, grid.output);
    TileRow made;
    made.first = static_cast<int64_t>(by.quotient * (backward ? grid.outputs : grid.inputs));
    for (int a = 0; a < 3; ++a)
      made.at[a] =
          static_cast<int>(backward ? e.at[a] + grid.padding[a] : e.at[a] * grid.stride[a] - grid.padding[a]);
    return made;
  }
  PLAIT_ANYWHERE TileTerm term(uint64_t number) const {
    if (number >= terms) return {{0, 0, 0}, -1, 0};
    const auto by = plait::sdk::gpu::divide(number, deep);
    const auto e = CudaGrid::split(by.quotient, grid.kernel);
    TileTerm made;
    for (int a = 0; a < 3; ++a)
      made.at[a] = static_cast<int>(backward ? -e.at[a] * grid.dilation[a] : e.at[a] * grid.dilation[a]);
    made.channel = static_cast<int>(by.remainder);
    made.weight = backward ? (by.remainder * grid.taps + by.quotient) * grid.group_channels : number;
    return made;
  }
  // The number that `row` reads for `term`, as an element of x or dy; -1: there is none.
  PLAIT_ANYWHERE int64_t read(const TileRow& row, const TileTerm& term, uint64_t group) const {
    if (row.first < 0 || term.channel < 0) return -1;
    int64_t place = 0;
    for (int a = 0; a < 3; ++a) {
      int at = row.at[a] + term.at[a];
      if (stride[a] != 1) {
        if (at < 0 || at % stride[a] != 0) return -1;
        at /= stride[a];
      }
      if (static_cast<unsigned>(at) >= static_cast<unsigned>(extent[a])) return -1;
      place = place * extent[a] + at;
    }
    const auto wide = static_cast<int64_t>(backward ? grid.filters : grid.channels);
    return (row.first + place) * wide + static_cast<int64_t>(group * deep) + term.channel;
  }
  // The weight between a column of the group and a term.
  PLAIT_ANYWHERE uint64_t weight(uint64_t group, uint64_t column, const TileTerm& term) const {
    if (!backward) return (group * grid.group_filters + column) * terms + term.weight;
    return group * grid.group_filters * grid.taps * grid.group_channels + term.weight + column;
  }

  CudaGrid grid;
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
