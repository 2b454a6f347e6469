// A product of matrices by rows, by tiles in shared memory: a thread has 4 x 4 numbers of the result, and
// adds their terms in order. An optimizer learns shapes when it steps, too late to plan a vendor's product.
#pragma once
#include <plait/cuda/map.hpp>

namespace optimizers {

// c = keep c + plus b + times op, op = a b, or a b^T. Each element of c is read and written by one thread, so
// c may be what `plus` adds, but neither a nor b.
struct TiledProduct {
  static constexpr unsigned kTile = 64, kDeep = 16, kOwn = 4;

  uint64_t rows, columns, terms;
  const float *a, *b;  // a: [rows, terms]; b: [terms, columns], or [columns, terms] where `transposed`
  bool transposed;
  float times;
  float keep;         // of c; 0: c is not read
  const float* plus;  // [rows, columns], or null
  float plus_times;
  float* c;
};

static __global__ void tiled_product(TiledProduct p) {
  constexpr unsigned kTile = TiledProduct::kTile, kDeep = TiledProduct::kDeep, kOwn = TiledProduct::kOwn;
  __shared__ float a_tile[kDeep * kTile], b_tile[kDeep * kTile];
  const uint64_t across = (p.columns + kTile - 1) / kTile;
  const uint64_t row = blockIdx.x / across * kTile, column = blockIdx.x % across * kTile;
  const unsigned down = threadIdx.x / (kTile / kOwn) * kOwn, right = threadIdx.x % (kTile / kOwn) * kOwn;
  float sums[kOwn][kOwn] = {};
  for (uint64_t begin = 0; begin < p.terms; begin += kDeep) {
    for (unsigned i = threadIdx.x; i < kDeep * kTile; i += blockDim.x) {
      const uint64_t deep = begin + i % kDeep, r = row + i / kDeep;
      a_tile[i % kDeep * kTile + i / kDeep] = deep < p.terms && r < p.rows ? p.a[r * p.terms + deep] : 0;
      const unsigned k = p.transposed ? i % kDeep : i / kTile, place = p.transposed ? i / kDeep : i % kTile;
      const uint64_t term = begin + k, to = column + place;
      b_tile[k * kTile + place] = term >= p.terms || to >= p.columns ? 0
                                  : p.transposed                     ? p.b[to * p.terms + term]
                                                                     : p.b[term * p.columns + to];
    }
    __syncthreads();
    for (unsigned k = 0; k < kDeep; ++k)
      for (unsigned i = 0; i < kOwn; ++i)
        for (unsigned j = 0; j < kOwn; ++j)
          sums[i][j] += a_tile[k * kTile + down + i] * b_tile[k * kTile + right + j];
    __syncthreads();
  }
  for (unsigned i = 0; i < kOwn; ++i) {
    for (unsigned j = 0; j < kOwn; ++j) {
      const uint64_t r = row + down + i, k = column + right + j;
      if (r >= p.rows || k >= p.columns) continue;
      const uint64_t at = r * p.columns + k;
      float value = p.times * sums[i][j];
      if (p.plus) value += p.plus_times * p.plus[at];
      p.c[at] = p.keep == 0 ? value : p.keep * p.c[at] + value;
    }
  }
}

inline void multiply(const plait::sdk::Context& c, const TiledProduct& p) {
  namespace gpu = plait::sdk::gpu;
  constexpr uint64_t kTile = TiledProduct::kTile;
  const uint64_t tiles = (p.rows + kTile - 1) / kTile * ((p.columns + kTile - 1) / kTile);
  gpu::launch(c, gpu::blocks_for(tiles, 1), gpu::kThreads, tiled_product, p);
}

static_assert(TiledProduct::kTile / TiledProduct::kOwn * (TiledProduct::kTile / TiledProduct::kOwn) ==
              plait::sdk::gpu::kThreads);

}  // namespace optimizers
