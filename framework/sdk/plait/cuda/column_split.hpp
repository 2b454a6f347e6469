// How gpu::sum_columns (sums.hpp) cuts a matrix, and sums that several layers want. Nothing of CUDA is
// needed. Threads: [any]
#pragma once
#include <plait/anywhere.hpp>
#include <plait/sdk/checked.hpp>

#include <cstdint>

namespace plait::sdk::gpu {

// Who adds what: `wide` columns and `high` rows at a time by a block, pieces of rows_a_piece rows; of few
// rows a thread adds a column.
struct ColumnSplit {
  static constexpr uint32_t kThreadsOfBlock = 256;
  static constexpr uint32_t kWidest = 32;        // neighbours that are loaded at once
  static constexpr uint64_t kMostBlocks = 1024;  // enough for every card
  static constexpr uint64_t kFewestRows = 8;     // of a thread
  static constexpr unsigned kAdders = 64;        // threads that add the pieces of a column,
  static constexpr uint64_t kFewPieces = 16;     // where there are more than these; else one

  static constexpr uint64_t kFewRows = 64;

  uint64_t rows = 0, columns = 0, rows_a_piece = 1, pieces = 1, strips = 0;
  uint32_t wide = 1, high = kThreadsOfBlock;

  ColumnSplit() = default;
  ColumnSplit(uint64_t rows_, uint64_t columns_) : rows(rows_), columns(columns_) {
    while (wide < kWidest && wide < columns) wide *= 2;
    high = kThreadsOfBlock / wide;
    strips = (columns + wide - 1) / wide;
    const uint64_t least = high * kFewestRows;  // rows
    const uint64_t wanted = strips < kMostBlocks ? kMostBlocks / (strips + 1) + 1 : 1;
    const uint64_t possible = rows / least + 1;
    pieces = wanted < possible ? wanted : possible;
    rows_a_piece = (rows + pieces - 1) / pieces;
  }
  bool is_short() const { return rows <= kFewRows; }
  uint64_t workspace_bytes(unsigned sums) const {
    return is_short() ? 0 : uint64_t{Checked(pieces) * columns * sums * sizeof(double)};
  }
};

// The sum of a column of f32, as f32: a bias's gradient.
struct SumOf {
  static constexpr unsigned kSums = 1;
  const float* x;
  PLAIT_ANYWHERE void add(uint64_t at, uint64_t, double* sums) const {
    sums[0] += static_cast<double>(x[at]);
  }
};
struct KeepFirst {
  float* to;
  PLAIT_ANYWHERE void operator()(uint64_t column, const double* sums) const {
    to[column] = static_cast<float>(sums[0]);
  }
};

}  // namespace plait::sdk::gpu
