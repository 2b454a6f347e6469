// Local response normalization by loops over the channels of each place.
//
// Shapes: x, y, dy, dx [rows, channels]. Bits do not depend on how rows are cut into pieces.
// Threads: [any]
// Source: Krizhevsky, Sutskever, Hinton 2012, section 3.3.
#pragma once
#include <cstddef>

namespace local_response_norm {

constexpr size_t kMostSize = 127;  // channels of a window

struct Window {
  size_t channels, half;     // half: channels on either side
  float share, beta, begin;  // share: alpha / size; begin: k
};

// y = x s^-beta, s = begin + share (sum of x^2 over the window)
void forward(const Window& w, const float* x, size_t rows, float* y);

// dx = dy s^-beta - 2 share beta x (sum over the window of dy x s^(-beta - 1))
void backward(const Window& w, const float* x, const float* dy, size_t rows, float* dx);

}  // namespace local_response_norm
