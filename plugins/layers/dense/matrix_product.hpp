// Products of small and middle-sized matrices whose right side has contiguous rows.
//
// Shapes: a [rows, terms] with any strides, b [terms, columns], c [rows, columns].
// Every element of c is summed in the order of its terms, whatever the number of lanes: equal bits on one
// instruction set. Threads: [any]
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

using plait::sdk::Activation;

struct MatrixProduct {
  size_t rows, columns, terms;
  const float* a;
  size_t a_row, a_term;  // distances in floats
  const float* b;
  size_t b_stride;
  float* c;
  size_t c_stride;
  const float* start = nullptr;  // [columns], added to each row; null: zeros
  bool accumulate = false;       // start with what c holds
  Activation activation = {};
};

// c = activation(start + a b), on the context's lanes.
void multiply(plait::sdk::Context& context, const MatrixProduct& product);

// to [columns, rows] = from [rows, columns]
void transpose(plait::sdk::Context& context, const float* from, size_t rows, size_t columns, float* to);

// dx = dy f'(x), where y = f(x)
void undo(plait::sdk::Context& context, const Activation& f, const float* y, const float* dy, float* dx,
          size_t count);

void sum_rows(const float* x, size_t rows, size_t columns, float* sums);
void sum_rows(const uint16_t* x, size_t rows, size_t columns, float* sums);  // of bf16
