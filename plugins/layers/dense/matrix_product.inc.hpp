// C = f(start + A B) with one register block of C at a time. See matrix_product.hpp.
namespace PLAIT_SIMD {

constexpr size_t kRows = 6, kVectors = kRegisters == 32 ? 4 : 2;  // of C: 24 or 12 registers

// Rows [row, row + R) and columns [column, column + V vectors), terms [from, to). The last vector holds
// `last` lanes.
template <size_t R, size_t V>
inline void product_block(const MatrixProduct& p, size_t row, size_t column, size_t last, size_t from,
                          size_t to) {
  Vec c[R][V];
  float* const to_c = p.c + row * p.c_stride + column;
#pragma GCC unroll 8
  for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) {
      const size_t lanes = v + 1 < V ? kWidth : last;
      if (from > 0 || p.accumulate) {
        c[r][v] = load(to_c + r * p.c_stride + v * kWidth, lanes);
      } else {
        c[r][v] = p.start ? load(p.start + column + v * kWidth, lanes) : zero();
      }
    }
  }
  const float* a = p.a + row * p.a_row + from * p.a_term;
  const float* b = p.b + from * p.b_stride + column;
  for (size_t term = from; term < to; ++term, a += p.a_term, b += p.b_stride) {
    Vec bv[V];
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) bv[v] = v + 1 < V ? load(b + v * kWidth) : load(b + v * kWidth, last);
#pragma GCC unroll 8
    for (size_t r = 0; r < R; ++r) {
      const Vec av = set(a[r * p.a_row]);
#pragma GCC unroll 4
      for (size_t v = 0; v < V; ++v) c[r][v] = fma(av, bv[v], c[r][v]);
    }
  }
  const bool finished = to == p.terms;
#pragma GCC unroll 8
  for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) {
      const Vec y = finished ? activate(p.activation, c[r][v]) : c[r][v];
      store(to_c + r * p.c_stride + v * kWidth, y, v + 1 < V ? kWidth : last);
    }
  }
}

using ProductBlock = void (*)(const MatrixProduct&, size_t, size_t, size_t, size_t, size_t);

template <size_t V>
inline ProductBlock product_block_of(size_t rows) {
  static constexpr ProductBlock kBlocks[kRows] = {product_block<1, V>, product_block<2, V>,
                                                  product_block<3, V>, product_block<4, V>,
                                                  product_block<5, V>, product_block<6, V>};
  return kBlocks[rows - 1];
}

inline ProductBlock product_block_of(size_t rows, size_t vectors) {
  if constexpr (kVectors == 4) {
    if (vectors == 4) return product_block_of<4>(rows);
    if (vectors == 3) return product_block_of<3>(rows);
  }
  return vectors == 2 ? product_block_of<2>(rows) : product_block_of<1>(rows);
}

inline size_t panel_columns() { return kVectors * kWidth; }

// Columns [begin, end) of C; begin is a multiple of panel_columns().
inline void product_columns(const MatrixProduct& p, size_t begin, size_t end) {
  constexpr size_t kTerms = 512;  // a panel of B, 128 KiB, stays in the second-level cache
  for (size_t column = begin; column < end; column += kVectors * kWidth) {
    const size_t columns = end - column < kVectors * kWidth ? end - column : kVectors * kWidth;
    const size_t vectors = (columns + kWidth - 1) / kWidth, last = columns - (vectors - 1) * kWidth;
    for (size_t from = 0; from == 0 || from < p.terms; from += kTerms) {
      const size_t to = p.terms - from < kTerms ? p.terms : from + kTerms;
      for (size_t row = 0; row < p.rows; row += kRows) {
        const size_t rows = p.rows - row < kRows ? p.rows - row : kRows;
        product_block_of(rows, vectors)(p, row, column, last, from, to);
      }
    }
  }
}

// to[j][i] = from[i][j] for rows [begin, end) of `from`.
inline void transpose_rows(const float* from, size_t rows, size_t columns, float* to, size_t begin,
                           size_t end) {
  size_t i = begin;
  for (; i + kWidth <= end; i += kWidth) {
    size_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      Vec a = load_fours(from + i * columns + j, 4 * columns),
          b = load_fours(from + (i + 1) * columns + j, 4 * columns);
      Vec c = load_fours(from + (i + 2) * columns + j, 4 * columns);
      Vec d = load_fours(from + (i + 3) * columns + j, 4 * columns);
      transpose4(a, b, c, d);
      store(to + j * rows + i, a), store(to + (j + 1) * rows + i, b);
      store(to + (j + 2) * rows + i, c), store(to + (j + 3) * rows + i, d);
    }
    for (; j < columns; ++j) {
      for (size_t r = i; r < i + kWidth; ++r) to[j * rows + r] = from[r * columns + j];
    }
  }
  for (; i < end; ++i) {
    for (size_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  }
}

// dx = dy f'(y), over [begin, end).
inline void undo_activation(const Activation& f, const float* y, const float* dy, float* dx, size_t begin,
                            size_t end) {
  each(end - begin, [&](size_t i, size_t n) {
    const size_t at = begin + i;
    store(dx + at, mul(load(dy + at, n), slope(f, load(y + at, n))), n);
  });
}

// sums[column] = sum over rows.
template <class T>
inline void column_sums(const T* x, size_t rows, size_t columns, float* sums) {
  each(columns, [&](size_t column, size_t n) {
    Vec total = zero();
    for (size_t row = 0; row < rows; ++row) total = add(total, load(x + row * columns + column, n));
    store(sums + column, total, n);
  });
}

}  // namespace PLAIT_SIMD
