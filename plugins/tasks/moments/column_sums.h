// Sums over the rows of a matrix, column by column.
#pragma once
#include <plait/sdk.hpp>

#include <cstddef>
#include <cstdint>

namespace plait::moments {

// At most so many rows of bytes go into 32 bits: 65536 * 255^2 < 2^32.
constexpr size_t kMost_byte_rows = 65536;

// values [rows, stride]; adds up the first `count` columns. low and high are lowered and raised.
void add_bytes(const uint8_t* values, size_t rows, size_t stride, size_t count, uint32_t* sums,
               uint32_t* squares, uint8_t* low, uint8_t* high);

// One row.
void add_row(const double* values, size_t count, double* sums, double* low, double* high);
// d = value - mean: sums of d and of d d.
void add_centred_row(const double* values, const double* means, size_t count, double* sums, double* squares);

// `count` elements from element `at` on, as f64; those of i64 beyond 2^53 are rounded. f32, f64, u8, i32,
// i64.
void widen(const sdk::Tensor& values, size_t at, size_t count, double* to);

}  // namespace plait::moments
