// Convolution of 3 x 3 with stride 1 by Winograd's minimal filtering: 4 x 4 outputs at a time by 36 products
// per channel and filter, where the definition takes 144.
//
// With an input tile d of 6 x 6 pixels, a kernel w and 4 x 4 outputs y, for one channel and one filter:
//   y = At [(G w Gt) * (Bt d B)] A                      products of elements, summed over the channels
//   dw = Gt [(A dy At) * (Bt d B)] G                    the same form turned round, summed over the tiles
// and dx is the first with dy in place of the input and the kernels turned and mirrored. The transforms
// follow from the points 0, +-sqrt(1/2), +-sqrt(2) and infinity, whose rounding errors are smaller than those
// of whole numbers: two to four times the definition's, as measured; winograd_test.cc has the bound.
//
// Images are f32 or bf16; tiles, weights, sums and the weights' gradient are f32 in both, and what is written
// is rounded once.
//
// A batch is cut into pieces of samples, by its shape alone, and a piece into blocks of tiles; every sum is
// of one order. So bits do not depend on the number of lanes, nor those of a sample on the others of its
// batch. What an infinite input makes of a tile is NaN in all of its outputs.
//
// Threads: forward, backward and prepare [any]; they do not allocate.
//
// Source: Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4; the choice of
// points: Barabasz et al. 2020, Error Analysis and Improving the Accuracy of Winograd Convolution.
#pragma once
#include <string>

#include "shape.hpp"

namespace convolution {

constexpr size_t kTileOutputs = 4, kTileInputs = 6, kTileProducts = kTileInputs * kTileInputs;

// Tiles are transformed a block at a time, in the order [depth / 16, 36, tiles, 16]: extents that the
// compiler knows, small enough for a core's second cache. A line more for each product, as powers of two
// would share a set of the first.
constexpr size_t kBlockTiles = 24;
constexpr size_t kProductStep = (kBlockTiles + 1) * kBlock,
                 kDepthStep = kTileProducts * kProductStep;  // floats

// What convolves one image into another, and how the outputs fall into tiles.
struct TiledPass {
  size_t rows, columns, channels;         // of what is read
  size_t out_rows, out_columns, filters;  // of what is made
  size_t pad_rows, pad_columns;

  size_t across() const { return (out_columns + kTileOutputs - 1) / kTileOutputs; }
  size_t tiles() const { return (out_rows + kTileOutputs - 1) / kTileOutputs * across(); }  // of an image
};

class Winograd {
 public:
  Winograd(const ConvolutionShape& shape, int lanes);
  // Two axes, 3 x 3, stride and dilation 1, padding up to 2, no groups, channels and filters in sixteens.
  static bool can(const ConvolutionShape& shape);
  // What it can, and what `shape` has, in words.
  static std::string wants(const ConvolutionShape& shape);
  // Those of which it is faster than oneDNN, on every instruction set: outputs that fill a tile (of x's axes
  // that vary nothing is asked), and weights that are no great part of the memory four times over.
  static bool suits(const ConvolutionShape& shape, plait::sdk::Spec x);

  size_t workspace_bytes() const { return Checked(workspace_) * sizeof(float); }
  size_t prepared_bytes() const;
  void prepare(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;
  void forward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;
  void backward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;

 private:
  // Floats from the start of the workspace, or of a slot.
  struct Places {
    size_t zeros, undone, pieces, slots;
    size_t other, sums, slot;  // of a slot: its first part is at 0
  };
  template <class T>
  struct Convolved;  // what one pass reads and writes
  class Slot;

  size_t pieces() const { return (s.batch + grain_ - 1) / grain_; }
  size_t weights() const { return stored_weights(s); }
  size_t transformed_weights() const { return Checked(kTileProducts) * s.channels * s.filters; }
  void lay_out();
  float* begin(const plait::sdk::LayerCall& call) const;
  // T: what images are of, float or the 16 bits of bf16.
  template <class T>
  void convolve(const Convolved<T>& what, size_t first, size_t last, const T* zeros, float* slot) const;
  template <class T>
  void sum_weights(const T* x, const T* dy, size_t first, size_t last, const T* zeros, float* slot,
                   float* dw) const;
  template <class T>
  void forward_of(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;
  template <class T>
  void backward_of(plait::sdk::Context& c, const plait::sdk::LayerCall& call, float* dw, float* db) const;
  void add_pieces(plait::sdk::Context& c, const float* from, float* dw, float* db) const;

  ConvolutionShape s;
  TiledPass forward_, backward_;
  // Samples of a piece; blocks of tiles that the weights' gradient sums at a time; pieces at once.
  size_t grain_, blocks_summed_, slots_;
  Places at_{};
  size_t workspace_ = 0;  // floats
};

}  // namespace convolution
