#include "matrix_product.hpp"

#include <plait/bf16.hpp>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "matrix_product.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "matrix_product.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "matrix_product.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

using plait::sdk::Context;

void multiply(Context& context, const MatrixProduct& product) {
  const size_t panel = PLAIT_SIMD_CALL(panel_columns);
  context.parallel_for(
      product.columns, context.lanes() == 1 ? product.columns : panel,
      [&](size_t begin, size_t end) { PLAIT_SIMD_CALL(product_columns, product, begin, end); });
}

void transpose(Context& context, const float* from, size_t rows, size_t columns, float* to) {
  constexpr size_t kGrain = 64;
  context.parallel_for(rows, context.lanes() == 1 ? rows : kGrain, [&](size_t begin, size_t end) {
    PLAIT_SIMD_CALL(transpose_rows, from, rows, columns, to, begin, end);
  });
}

void undo(Context& context, const Activation& f, const float* y, const float* dy, float* dx, size_t count) {
  context.parallel_for(
      count, context.lanes() == 1 ? count : Context::kDefaultGrain,
      [&](size_t begin, size_t end) { PLAIT_SIMD_CALL(undo_activation, f, y, dy, dx, begin, end); });
}

void sum_rows(const float* x, size_t rows, size_t columns, float* sums) {
  PLAIT_SIMD_CALL(column_sums, x, rows, columns, sums);
}
void sum_rows(const uint16_t* x, size_t rows, size_t columns, float* sums) {
  PLAIT_SIMD_CALL(column_sums, x, rows, columns, sums);
}
