// Convolutions as products of matrices, by tiles in shared memory: what a row of the result reads is gathered
// on the way. A thread has 4 by 1, 2 or 4 numbers of the result and adds their terms in order, in f32.
//
// Gathered: y of x and w, or dx of dy and w. Weights: their gradient, of which blocks make sums over pieces
// of the outputs that gpu::add_pieces then adds up in f64. w: [filters, taps, channels / groups]. Threads:
// [any], one stream at a time.
#pragma once
#include <plait/cuda/map.hpp>
#include <plait/cuda/sums.hpp>

#include "cuda_work.hpp"

namespace convolution {

namespace gpu = plait::sdk::gpu;

// Threads 16 x 16 of a block, 4 rows each; rows of shared memory are longer than what is in them, so that
// neighbours write to different banks.
inline constexpr unsigned kTileRows = 64, kTileDeep = 16, kPadded = kTileRows + 4;

struct Gathered {
  TileShape shape;
  uint64_t groups;
  const float *from, *w;
  float* to;
  bool accumulate;
};

// kOwn: columns of a thread.
template <unsigned kOwn>
__global__ void gathered_product(Gathered g) {
  constexpr unsigned kColumns = 16 * kOwn;
  __shared__ float a_tile[kTileDeep * kPadded], b_tile[kTileDeep * (kColumns + 4)];
  __shared__ TileRow rows[kTileRows];
  __shared__ TileTerm terms[kTileDeep];
  const TileShape& s = g.shape;
  const uint64_t strips = (s.columns + kColumns - 1) / kColumns;
  const uint64_t group = blockIdx.x % (strips * g.groups) / strips, column = blockIdx.x % strips * kColumns;
  const uint64_t first = blockIdx.x / (strips * g.groups) * kTileRows;
  const unsigned down = threadIdx.x / 16 * 4, right = threadIdx.x % 16 * kOwn;
  if (threadIdx.x < kTileRows) rows[threadIdx.x] = s.row(first + threadIdx.x);
  float sums[4][kOwn] = {};
  for (uint64_t begin = 0; begin < s.terms; begin += kTileDeep) {
    if (threadIdx.x < kTileDeep) terms[threadIdx.x] = s.term(begin + threadIdx.x);
    __syncthreads();
    for (unsigned i = threadIdx.x; i < kTileDeep * kTileRows; i += gpu::kThreads) {
      const int64_t at = s.read(rows[i / kTileDeep], terms[i % kTileDeep], group);
      a_tile[i % kTileDeep * kPadded + i / kTileDeep] = at < 0 ? 0 : g.from[at];
    }
    for (unsigned i = threadIdx.x; i < kTileDeep * kColumns; i += gpu::kThreads) {
      const unsigned k = s.backward ? i / kColumns : i % kTileDeep,
                     j = s.backward ? i % kColumns : i / kTileDeep;
      const bool is_there = column + j < s.columns && terms[k].channel >= 0;
      b_tile[k * (kColumns + 4) + j] = is_there ? g.w[s.weight(group, column + j, terms[k])] : 0;
    }
    __syncthreads();
    for (unsigned k = 0; k < kTileDeep; ++k)
      for (unsigned i = 0; i < 4; ++i)
        for (unsigned j = 0; j < kOwn; ++j)
          sums[i][j] += a_tile[k * kPadded + down + i] * b_tile[k * (kColumns + 4) + right + j];
  }
  const uint64_t wide = g.groups * s.columns;
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned j = 0; j < kOwn; ++j) {
      if (first + down + i >= s.rows || column + right + j >= s.columns) continue;
      float& to = g.to[(first + down + i) * wide + group * s.columns + column + right + j];
      to = g.accumulate ? to + sums[i][j] : sums[i][j];
    }
}

// body(how many columns a thread has): as few as cover them.
template <class Body>
void with_own(uint64_t columns, const Body& body) {
  if (columns <= 16) return body(std::integral_constant<unsigned, 1>());
  if (columns <= 32) return body(std::integral_constant<unsigned, 2>());
  body(std::integral_constant<unsigned, 4>());
}

inline void gather(const plait::sdk::Context& c, const Gathered& g) {
  with_own(g.shape.columns, [&](auto own) {
    constexpr unsigned kOwn = decltype(own)::value;
    const uint64_t strips = (g.shape.columns + 16 * kOwn - 1) / (16 * kOwn);
    const uint64_t blocks = (g.shape.rows + kTileRows - 1) / kTileRows * strips * g.groups;
    if (blocks > 0) gpu::launch(c, gpu::blocks_for(blocks, 1), gpu::kThreads, gathered_product<kOwn>, g);
  });
}

// The weights' gradient: rows are taps and channels of a group, columns its filters, terms the outputs of all
// samples, cut into pieces.
struct Weights {
  TileShape shape;                            // of the way there
  uint64_t groups, outputs, outputs_a_piece;  // outputs: of all samples
  const float *x, *dy;
  double* partial;  // [pieces, weights]
};

template <unsigned kOwn>
__global__ void weights_product(Weights w) {
  constexpr unsigned kColumns = 16 * kOwn;
  __shared__ float a_tile[kTileDeep * kPadded], b_tile[kTileDeep * (kColumns + 4)];
  __shared__ TileRow outputs[kTileDeep];
  const TileShape& s = w.shape;
  const uint64_t across = (s.columns + kColumns - 1) / kColumns,
                 down_all = (s.terms + kTileRows - 1) / kTileRows;
  const uint64_t tile = blockIdx.x % (across * down_all * w.groups),
                 piece = blockIdx.x / (across * down_all * w.groups);
  const uint64_t group = tile / (across * down_all), first = tile / across % down_all * kTileRows;
  const uint64_t column = tile % across * kColumns;
  const unsigned down = threadIdx.x / 16 * 4, right = threadIdx.x % 16 * kOwn;
  const TileTerm mine = s.term(first + threadIdx.x % kTileRows);  // of what this thread loads
  uint64_t end = (piece + 1) * w.outputs_a_piece;
  if (end > w.outputs) end = w.outputs;
  float sums[4][kOwn] = {};
  for (uint64_t begin = piece * w.outputs_a_piece; begin < end; begin += kTileDeep) {
    if (threadIdx.x < kTileDeep)
      outputs[threadIdx.x] = begin + threadIdx.x < end ? s.row(begin + threadIdx.x) : TileRow{-1, {0, 0, 0}};
    __syncthreads();
    for (unsigned i = threadIdx.x; i < kTileDeep * kTileRows; i += gpu::kThreads) {
      const int64_t at = s.read(outputs[i / kTileRows], mine, group);
      a_tile[i / kTileRows * kPadded + i % kTileRows] = at < 0 ? 0 : w.x[at];
    }
    for (unsigned i = threadIdx.x; i < kTileDeep * kColumns; i += gpu::kThreads) {
      const unsigned k = i / kColumns, j = i % kColumns;
      const bool is_there = begin + k < end && column + j < s.columns;
      b_tile[k * (kColumns + 4) + j] =
          is_there ? w.dy[(begin + k) * s.grid.filters + group * s.columns + column + j] : 0;
    }
    __syncthreads();
    for (unsigned k = 0; k < kTileDeep; ++k)
      for (unsigned i = 0; i < 4; ++i)
        for (unsigned j = 0; j < kOwn; ++j)
          sums[i][j] += a_tile[k * kPadded + down + i] * b_tile[k * (kColumns + 4) + right + j];
  }
  const uint64_t all = s.grid.filters * s.terms;
  for (unsigned j = 0; j < kOwn; ++j)
    for (unsigned i = 0; i < 4; ++i)
      if (first + down + i < s.terms && column + right + j < s.columns)
        w.partial[piece * all + s.weight(group, column + right + j, s.term(first + down + i))] =
            static_cast<double>(sums[i][j]);
}

static_assert(gpu::kThreads % kTileRows == 0 && kTileRows % 16 == 0);

// How the outputs are cut, for gpu::add_pieces: enough blocks for every card, pieces of some hundred outputs.
inline gpu::ColumnSplit weights_split(const ConvolutionShape& shape) {
  constexpr uint64_t kBlocks = 528, kFewest = 128;
  const CudaGrid grid(shape);
  const uint64_t own = grid.group_filters <= 16 ? 1 : grid.group_filters <= 32 ? 2 : 4;
  const uint64_t tiles = shape.groups * ((grid.group_filters + 16 * own - 1) / (16 * own)) *
                         ((grid.taps * grid.group_channels + kTileRows - 1) / kTileRows);
  gpu::ColumnSplit split;
  split.rows = shape.batch * grid.outputs, split.columns = shape.weights();
  const uint64_t wanted = kBlocks / (tiles + 1) + 1, possible = split.rows / kFewest + 1;
  split.pieces = wanted < possible ? wanted : possible;
  split.rows_a_piece = plait::sdk::round_up((split.rows + split.pieces - 1) / split.pieces, kTileDeep);
  return split;
}
inline uint64_t weights_bytes(const gpu::ColumnSplit& split) {
  return plait::sdk::Checked(split.pieces) * split.columns * sizeof(double);
}

// What tiles do better than a vendor's library, by the shape alone; README.md has the times that say so.
struct OwnKernels {
  bool gathers;  // y and dx: channels that the library would fill up to fours, in another copy of a small
                 // input
  bool sums;  // dw: few weights and little work, of which a sum that is not cut keeps most of a card waiting

  explicit OwnKernels(const ConvolutionShape& shape) {
    constexpr double kSmall = 64e6, kMedium = 512e6;  // multiply-adds
    constexpr uint64_t kFewTiles = 48;                // of 64 x 64 weights
    const CudaGrid grid(shape);
    const auto work = static_cast<double>(shape.batch * grid.outputs) * static_cast<double>(shape.weights());
    const bool is_odd = grid.group_channels % 4 != 0 || grid.group_filters % 4 != 0;
    gathers = is_odd && work < kSmall;
    const uint64_t tiles =
        shape.groups * ((grid.group_filters + 63) / 64) * ((grid.taps * grid.group_channels + 63) / 64);
    sums = gathers || (tiles < kFewTiles && work < kMedium);
  }
};

// finish(weight, sum), as gpu::sum_columns calls it. workspace: weights_bytes.
template <class Finish>
void gather_weights(const plait::sdk::Context& c, const ConvolutionShape& shape,
                    const gpu::ColumnSplit& split, const float* x, const float* dy, const Finish& finish,
                    void* workspace) {
  const CudaGrid grid(shape);
  const Weights w{TileShape(grid, split.rows, false), shape.groups, split.rows, split.rows_a_piece, x, dy,
                  static_cast<double*>(workspace)};
  with_own(grid.group_filters, [&](auto own) {
    constexpr unsigned kOwn = decltype(own)::value;
    const uint64_t tiles = (grid.group_filters + 16 * kOwn - 1) / (16 * kOwn) *
                           ((grid.taps * grid.group_channels + kTileRows - 1) / kTileRows) * shape.groups;
    gpu::launch(c, gpu::blocks_for(tiles * split.pieces, 1), gpu::kThreads, weights_product<kOwn>, w);
  });
  gpu::add_pieces<1>(c, split, static_cast<const double*>(workspace), finish);
}

}  // namespace convolution
