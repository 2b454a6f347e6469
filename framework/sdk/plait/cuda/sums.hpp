// Sums in an order that the numbers of rows and columns decide, in f64: the same bits at every launch, on
// every card and stream. Threads add rows of a piece, then threads of another kernel add pieces.
//
//   struct Squares {  // what a row adds to the sums of its column
//     static constexpr unsigned kSums = 1;
//     const float* x;
//     PLAIT_ANYWHERE void add(uint64_t at, uint64_t column, double* sums) const { sums[0] += double(x[at]) *
//     x[at]; }
//   };
//   struct Keep {     // what becomes of a column's sums
//     float* to;
//     PLAIT_ANYWHERE void operator()(uint64_t column, const double* sums) const { to[column] =
//     float(sums[0]); }
//   };
//   const gpu::ColumnSplit split(rows, columns);
//   n.workspace(split.workspace_bytes(Squares::kSums));                     // when the memory is asked for
//   gpu::sum_columns(c, split, Squares{x}, Keep{to}, call.workspace());     // `at` is row * columns + column
//
// A sum over all elements is that of one column. Fails with: the runtime's text. Threads: [any], one stream
// at a time.
#pragma once
#include <plait/cuda.hpp>
#include <plait/cuda/column_split.hpp>

namespace plait::sdk::gpu {

static_assert(ColumnSplit::kThreadsOfBlock == kThreads);

namespace detail {

// A thread a column.
template <class Term, class Finish>
__global__ void sum_few_rows(uint64_t columns, uint64_t rows, Term term, Finish finish) {
  const uint64_t column = index();
  if (column >= columns) return;
  double sums[Term::kSums] = {};
  for (uint64_t row = 0; row < rows; ++row) term.add(row * columns + column, column, sums);
  finish(column, static_cast<const double*>(sums));
}

// partial [pieces, sums, columns]
template <class Term>
__global__ void sum_pieces(ColumnSplit s, Term term, double* partial) {
  constexpr unsigned kSums = Term::kSums;
  __shared__ double shared[kSums * kThreads];
  const uint32_t across = threadIdx.x % s.wide, down = threadIdx.x / s.wide;
  const uint64_t piece = blockIdx.x / s.strips, column = blockIdx.x % s.strips * s.wide + across;
  double sums[kSums] = {};
  if (column < s.columns) {
    uint64_t end = (piece + 1) * s.rows_a_piece;
    if (end > s.rows) end = s.rows;
    for (uint64_t row = piece * s.rows_a_piece + down; row < end; row += s.high)
      term.add(row * s.columns + column, column, sums);
  }
  for (unsigned k = 0; k < kSums; ++k) shared[k * kThreads + threadIdx.x] = sums[k];
  for (uint32_t half = s.high / 2; half > 0; half /= 2) {
    __syncthreads();
    if (down < half)
      for (unsigned k = 0; k < kSums; ++k)
        shared[k * kThreads + threadIdx.x] += shared[k * kThreads + threadIdx.x + half * s.wide];
  }
  if (down == 0 && column < s.columns)
    for (unsigned k = 0; k < kSums; ++k)
      partial[(piece * kSums + k) * s.columns + column] = shared[k * kThreads + threadIdx.x];
}

// A thread a column.
template <unsigned kSums, class Finish>
__global__ void add_few_pieces(uint64_t columns, uint64_t pieces, const double* partial, Finish finish) {
  const uint64_t column = index();
  if (column >= columns) return;
  double sums[kSums] = {};
  for (uint64_t piece = 0; piece < pieces; ++piece)
    for (unsigned k = 0; k < kSums; ++k) sums[k] += partial[(piece * kSums + k) * columns + column];
  finish(column, static_cast<const double*>(sums));
}

// A block a column.
template <unsigned kSums, class Finish>
__global__ void add_pieces(ColumnSplit s, const double* partial, Finish finish) {
  __shared__ double shared[kSums * ColumnSplit::kAdders];
  const uint64_t column = blockIdx.x;
  double sums[kSums] = {};
  for (uint64_t piece = threadIdx.x; piece < s.pieces; piece += ColumnSplit::kAdders)
    for (unsigned k = 0; k < kSums; ++k) sums[k] += partial[(piece * kSums + k) * s.columns + column];
  for (unsigned k = 0; k < kSums; ++k) shared[k * ColumnSplit::kAdders + threadIdx.x] = sums[k];
  for (unsigned half = ColumnSplit::kAdders / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      for (unsigned k = 0; k < kSums; ++k)
        shared[k * ColumnSplit::kAdders + threadIdx.x] +=
            shared[k * ColumnSplit::kAdders + threadIdx.x + half];
  }
  if (threadIdx.x != 0) return;
  for (unsigned k = 0; k < kSums; ++k) sums[k] = shared[k * ColumnSplit::kAdders];
  finish(column, static_cast<const double*>(sums));
}

}  // namespace detail

// Adds up partial sums [pieces, kSums, columns], which another kernel made; for sum_columns and its like.
template <unsigned kSums, class Finish>
void add_pieces(const Context& c, const ColumnSplit& split, const double* partial, const Finish& finish) {
  if (split.pieces <= ColumnSplit::kFewPieces)
    return each(c, split.columns, detail::add_few_pieces<kSums, Finish>, split.pieces, partial, finish);
  if (split.columns > 0x7FFFFFFF)
    throw Unsupported("sums of ", split.columns, " columns are more than a card takes");
  launch(c, dim3(static_cast<unsigned>(split.columns)), ColumnSplit::kAdders,
         detail::add_pieces<kSums, Finish>, split, partial, finish);
}

// workspace: split.workspace_bytes(Term::kSums), on the card. Nothing for no columns.
template <class Term, class Finish>
void sum_columns(const Context& c, const ColumnSplit& split, const Term& term, const Finish& finish,
                 void* workspace) {
  if (split.columns == 0) return;
  if (split.is_short())
    return each(c, split.columns, detail::sum_few_rows<Term, Finish>, split.rows, term, finish);
  auto* const partial = static_cast<double*>(workspace);
  const uint64_t blocks = split.pieces * split.strips;
  if (blocks > 0x7FFFFFFF)
    throw Unsupported("sums of ", split.columns, " columns are more than a card takes");
  launch(c, dim3(static_cast<unsigned>(blocks)), kThreads, detail::sum_pieces<Term>, split, term, partial);
  add_pieces<Term::kSums>(c, split, partial, finish);
}

}  // namespace plait::sdk::gpu
