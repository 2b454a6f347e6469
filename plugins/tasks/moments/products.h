// Sums of the products of columns: X^T X, of which the upper triangle is kept, row after row.
#pragma once
#include <cstddef>
#include <cstdint>

namespace plait::moments {

// Rows that are multiplied at once. Of bytes as f32 each sum stays exact: 128 * 255^2 < 2^24.
constexpr size_t kRows = 128;

constexpr size_t triangle_size(size_t n) { return n * (n + 1) / 2; }
// Place of (i, j), i <= j < n.
constexpr size_t triangle_place(size_t n, size_t i, size_t j) { return i * n - i * (i + 1) / 2 + j; }

// values [rows, n], rows <= kRows; what is added to [triangle_size(n)]. Of f32 the values are integers
// whose sums of products are below 2^24.
void add_products(const float* values, size_t rows, size_t n, int64_t* to);
void add_products(const double* values, size_t rows, size_t n, double* to);

}  // namespace plait::moments
