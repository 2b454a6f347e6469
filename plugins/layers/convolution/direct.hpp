// Convolution by own loops, for few channels: see README.md for when.
//
// A batch is cut into pieces of samples, by its size alone. A piece sums its weights' gradient by itself;
// pieces are added in order. So bits do not depend on the number of lanes. Threads: forward and backward
// [any]; they do not allocate.
#pragma once
#include "shape.hpp"

namespace convolution {

// Floats that lie one after the other in input and weights: a row of the window, or with dilation one tap.
struct Runs {
  size_t count, length;
  size_t stored;  // length, filled up to whole vectors: row length of the turned weights
};

class Direct {
 public:
  explicit Direct(const ConvolutionShape& shape, int lanes);
  // One or two spatial axes, no groups.
  static bool can(const ConvolutionShape& shape);
  // Those of which it is faster than oneDNN: few channels, and weights that stay in a core's cache while a
  // piece runs.
  static bool suits(const ConvolutionShape& shape);

  size_t workspace_bytes() const { return Checked(workspace_) * sizeof(float); }
  void forward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;
  void backward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;

  // For the loops, which exist once per instruction set.
  ConvolutionShape s;
  Runs runs;
  bool wide;                                    // vectors along a row of pixels, not along filters
  size_t rows, columns, out_rows, out_columns;  // of the padded input and of the output
  size_t plane_stride, plane_row, turned_row;   // floats; of the planes that the wide loops read
  size_t kernel_rows, runs_in_row;              // of the window
  size_t run_offset(size_t run) const {         // in the padded input, floats
    const auto& w = s.window;
    const size_t row = run / runs_in_row * static_cast<size_t>(w.dilation[1]);
    return (row * columns + run % runs_in_row * static_cast<size_t>(w.dilation[2])) * s.channels;
  }
  // The output row to which row `kernel_row` of the window brings padded input row h; a large number where
  // there is none.
  size_t output_row(size_t h, size_t kernel_row) const {
    const size_t down = kernel_row * static_cast<size_t>(s.window.dilation[1]);
    const auto stride = static_cast<size_t>(s.window.stride[1]);
    return h >= down && (h - down) % stride == 0 ? (h - down) / stride : ~size_t{0};
  }
  bool pads() const { return s.window.padding[1] > 0 || s.window.padding[2] > 0; }

  // Scratch of one piece, floats from its start.
  struct Scratch {
    size_t input, gradient, turned, input_gradient, run_sums, weights, bias, sums, size;
  };
  Scratch scratch;

 private:
  size_t grain() const { return (s.batch + kPieces - 1) / kPieces; }
  size_t pieces() const { return (s.batch + grain() - 1) / grain(); }
  void lay_out(int lanes);
  void add_pieces(float* dw, float* db, const float* piece, bool first) const;

  static constexpr size_t kPieces = 8;
  size_t turned_weights_ = 0;  // floats at the start of the workspace
  size_t workspace_ = 0;
};

// to = dy f'(x), where y = f(x). T: float, or the 16 bits of bf16.
template <class T>
void undo(plait::sdk::Context& c, const Activation& f, const T* y, const T* dy, T* to, size_t count);

}  // namespace convolution
