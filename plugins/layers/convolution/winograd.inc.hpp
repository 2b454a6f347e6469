// Loops of winograd.cc. Images are channels-last, T: float, or the 16 bits of bf16; what is transformed lies
// as [36, depth / 16, tiles, 16], the weights as [36, filters / 16, channels, 16], both f32.
namespace PLAIT_SIMD {

using convolution::kBlock;
using convolution::kBlockTiles;
using convolution::kDepthStep;
using convolution::kProductStep;
using convolution::kTileInputs;
using convolution::kTileOutputs;
using convolution::kTileProducts;
using convolution::TiledPass;

constexpr float kHalfRoot = 0.70710678f, kRoot = 1.41421356f;        // the points
constexpr float kHalfCube = 0.35355339f, kRootCube = 2.82842712f;    // their cubes
constexpr float kThirdRoot = 0.47140452f, kSixthRoot = 0.23570226f;  // kRoot / 3, kRoot / 6

// ---------------------------------------------------------------- transforms of six or four or three numbers

// Pairs of rows of Bt for points +- p: e + o and e - o.
struct Halves {
  Vec even, odd;
};
inline Halves input_half(Vec d1, Vec d2, Vec d3, Vec d4) {
  return {fma(set(-2.0f), d2, d4), fma(set(kHalfRoot), d3, mul(set(-kRoot), d1))};
}
inline Halves input_root(Vec d1, Vec d2, Vec d3, Vec d4) {
  return {fma(set(-0.5f), d2, d4), fma(set(kRoot), d3, mul(set(-kHalfRoot), d1))};
}
inline Vec input_end(Vec d0, Vec d2, Vec d4) { return fma(set(-2.5f), d2, add(d0, d4)); }

// Bt d
inline void input_six(const Vec (&d)[6], Vec (&v)[6]) {
  const Halves a = input_half(d[1], d[2], d[3], d[4]), b = input_root(d[1], d[2], d[3], d[4]);
  v[0] = input_end(d[0], d[2], d[4]);
  v[1] = add(a.even, a.odd), v[2] = sub(a.even, a.odd);
  v[3] = add(b.even, b.odd), v[4] = sub(b.even, b.odd);
  v[5] = input_end(d[1], d[3], d[5]);
}

// At m
inline void output_four(const Vec (&m)[6], Vec (&y)[4]) {
  const Vec even_a = add(m[1], m[2]), odd_a = sub(m[1], m[2]), even_b = add(m[3], m[4]),
            odd_b = sub(m[3], m[4]);
  y[0] = add(add(m[0], even_a), even_b);
  y[1] = fma(set(kRoot), odd_b, mul(set(kHalfRoot), odd_a));
  y[2] = fma(set(2.0f), even_b, mul(set(0.5f), even_a));
  y[3] = fma(set(kRootCube), odd_b, fma(set(kHalfCube), odd_a, m[5]));
}

// A e
inline void gradient_six(const Vec (&e)[4], Vec (&g)[6]) {
  const Vec even_a = fma(set(0.5f), e[2], e[0]), odd_a = fma(set(kHalfCube), e[3], mul(set(kHalfRoot), e[1]));
  const Vec even_b = fma(set(2.0f), e[2], e[0]), odd_b = fma(set(kRootCube), e[3], mul(set(kRoot), e[1]));
  g[0] = e[0];
  g[1] = add(even_a, odd_a), g[2] = sub(even_a, odd_a);
  g[3] = add(even_b, odd_b), g[4] = sub(even_b, odd_b);
  g[5] = e[3];
}

// G w
inline void weight_six(const Vec (&w)[3], Vec (&u)[6]) {
  const Vec even_a = fma(set(-2.0f / 3), w[0], mul(set(-1.0f / 3), w[2])),
            odd_a = mul(set(-kThirdRoot), w[1]);
  const Vec even_b = fma(set(1.0f / 6), w[0], mul(set(1.0f / 3), w[2])), odd_b = mul(set(kSixthRoot), w[1]);
  u[0] = w[0];
  u[1] = add(even_a, odd_a), u[2] = sub(even_a, odd_a);
  u[3] = add(even_b, odd_b), u[4] = sub(even_b, odd_b);
  u[5] = w[2];
}

// Gt s
inline void weight_three(const Vec (&s)[6], Vec (&w)[3]) {
  const Vec even_a = add(s[1], s[2]), odd_a = sub(s[1], s[2]), even_b = add(s[3], s[4]),
            odd_b = sub(s[3], s[4]);
  w[0] = fma(set(1.0f / 6), even_b, fma(set(-2.0f / 3), even_a, s[0]));
  w[1] = fma(set(kSixthRoot), odd_b, mul(set(-kThirdRoot), odd_a));
  w[2] = fma(set(1.0f / 3), sub(even_b, even_a), s[5]);
}

// ---------------------------------------------------------------- tiles

struct TilePlace {
  size_t image, top, left;  // of its first output
};
inline TilePlace tile_place(const TiledPass& p, size_t tile) {
  const size_t across = p.across(), in_image = tile % p.tiles();
  return {tile / p.tiles(), in_image / across * kTileOutputs, in_image % across * kTileOutputs};
}

// Where the pixels of N x N are: `zeros` outside of the image.
template <size_t N, class T>
struct Pixels {
  const T* at[N][N];
  Pixels(const T* image, size_t rows, size_t columns, size_t channels, ptrdiff_t top, ptrdiff_t left,
         const T* zeros) {
    const auto step = static_cast<ptrdiff_t>(channels), row_step = static_cast<ptrdiff_t>(columns) * step;
    ptrdiff_t row = top * row_step + left * step;
    for (size_t i = 0; i < N; ++i, row += row_step) {
      const bool inside = static_cast<size_t>(top + static_cast<ptrdiff_t>(i)) < rows;
      ptrdiff_t pixel = row;
#pragma GCC unroll 6
      for (size_t j = 0; j < N; ++j, pixel += step) {
        const size_t column = static_cast<size_t>(left + static_cast<ptrdiff_t>(j));  // before: very large
        at[i][j] = inside && column < columns ? image + pixel : zeros;
      }
    }
  }
  const T* operator()(size_t i, size_t j) const { return at[i][j]; }
};
// The same where all are inside: seldom more than registers hold.
template <class T>
struct InnerPixels {
  const T* first;
  size_t row, column;  // steps
  const T* operator()(size_t i, size_t j) const { return first + i * row + j * column; }
};

inline void store_six(const Vec (&v)[6], float* to) {
#pragma GCC unroll 6
  for (size_t j = 0; j < 6; ++j) store(to + j * kProductStep, v[j]);
}

// Two rows of Bt d B, of points +- p, at once: no more numbers than registers, for the price of loading
// again.
template <Halves (*kHalves)(Vec, Vec, Vec, Vec), class At>
inline void input_rows(const At& at, size_t c, float* to) {
  Vec plus[6], minus[6], v[6];
#pragma GCC unroll 6
  for (size_t j = 0; j < 6; ++j) {
    const Halves h = kHalves(load(at(1, j) + c), load(at(2, j) + c), load(at(3, j) + c), load(at(4, j) + c));
    plus[j] = add(h.even, h.odd), minus[j] = sub(h.even, h.odd);
  }
  input_six(plus, v);
  store_six(v, to);
  input_six(minus, v);
  store_six(v, to + 6 * kProductStep);
}
template <size_t kFirst, class At>
inline void input_end_row(const At& at, size_t c, float* to) {
  Vec row[6], v[6];
#pragma GCC unroll 6
  for (size_t j = 0; j < 6; ++j)
    row[j] = input_end(load(at(kFirst, j) + c), load(at(kFirst + 2, j) + c), load(at(kFirst + 4, j) + c));
  input_six(row, v);
  store_six(v, to);
}
template <class At>
inline void transform_input(const At& at, size_t channels, float* to) {
  for (size_t c = 0; c < channels; c += kWidth) {
    float* const v = to + c / kBlock * kDepthStep + c % kBlock;
    input_end_row<0>(at, c, v);
    input_rows<input_half>(at, c, v + 6 * kProductStep);
    input_rows<input_root>(at, c, v + 18 * kProductStep);
    input_end_row<1>(at, c, v + 30 * kProductStep);
  }
}

// v = Bt d B for each channel of `count` tiles from number `first` on.
template <class T>
inline void transform_inputs(const TiledPass& p, const T* x, size_t first, size_t count, const T* zeros,
                             float* v) {
  for (size_t t = 0; t < count; ++t, v += kBlock) {
    const TilePlace place = tile_place(p, first + t);
    const T* const image = x + place.image * p.rows * p.columns * p.channels;
    const size_t top = place.top - p.pad_rows, left = place.left - p.pad_columns;  // above: very large
    if (top < p.rows && top + 6 <= p.rows && left < p.columns && left + 6 <= p.columns) {
      const size_t row = p.columns * p.channels;
      transform_input(InnerPixels<T>{image + top * row + left * p.channels, row, p.channels}, p.channels, v);
    } else {
      const Pixels<6, T> pixels(image, p.rows, p.columns, p.channels, static_cast<ptrdiff_t>(top),
                                static_cast<ptrdiff_t>(left), zeros);
      transform_input(pixels, p.channels, v);
    }
  }
}

// g = A dy At for each filter of the same tiles; dy: what the pass makes, or its gradient.
template <class T>
inline void transform_gradients(const TiledPass& p, const T* dy, size_t first, size_t count, const T* zeros,
                                float* g) {
  for (size_t t = 0; t < count; ++t, g += kBlock) {
    const TilePlace place = tile_place(p, first + t);
    const Pixels<4, T> at(dy + place.image * p.out_rows * p.out_columns * p.filters, p.out_rows,
                          p.out_columns, p.filters, static_cast<ptrdiff_t>(place.top),
                          static_cast<ptrdiff_t>(place.left), zeros);
    for (size_t f = 0; f < p.filters; f += kWidth) {
      float* const to = g + f / kBlock * kDepthStep + f % kBlock;
      Vec down[4][6];
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) {
        const Vec column[4] = {load(at(0, j) + f), load(at(1, j) + f), load(at(2, j) + f),
                               load(at(3, j) + f)};
        gradient_six(column, down[j]);
      }
#pragma GCC unroll 6
      for (size_t i = 0; i < 6; ++i) {
        const Vec row[4] = {down[0][i], down[1][i], down[2][i], down[3][i]};
        Vec out[6];
        gradient_six(row, out);
        store_six(out, to + i * 6 * kProductStep);
      }
    }
  }
}

// finish(a tile's output, its filter, its place in y) for each that is inside of the image.
template <class T, class Finish>
inline void transform_output(const TiledPass& p, const float* m, const TilePlace& place, T* y,
                             const Finish& finish) {
  const size_t rows = p.out_rows - place.top < 4 ? p.out_rows - place.top : 4,
               columns = p.out_columns - place.left < 4 ? p.out_columns - place.left : 4,
               row_step = p.out_columns * p.filters;
  T* const corner = y + ((place.image * p.out_rows + place.top) * p.out_columns + place.left) * p.filters;
  for (size_t f = 0; f < p.filters; f += kWidth) {
    const float* const from = m + f / kBlock * kDepthStep + f % kBlock;
    Vec across[6][4];
#pragma GCC unroll 6
    for (size_t i = 0; i < 6; ++i) {
      Vec row[6];
#pragma GCC unroll 6
      for (size_t j = 0; j < 6; ++j) row[j] = load(from + (i * 6 + j) * kProductStep);
      output_four(row, across[i]);
    }
    T* to = corner + f;
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j, to += p.filters) {
      if (j >= columns) break;
      const Vec column[6] = {across[0][j], across[1][j], across[2][j],
                             across[3][j], across[4][j], across[5][j]};
      Vec out[4];
      output_four(column, out);
#pragma GCC unroll 4
      for (size_t i = 0; i < 4; ++i) {
        if (i < rows) finish(out[i], f, to + i * row_step);
      }
    }
  }
}

// y (+)= activation(At m A + bias), rounded once, or without a bias where that is null.
template <class T>
inline void transform_outputs(const TiledPass& p, const float* m, size_t first, size_t count,
                              const float* bias, const plait::sdk::Activation& activation, bool accumulate,
                              T* y) {
  const bool plain = !bias && !accumulate && activation.kind == plait::sdk::Activation::Kind::kIdentity;
  for (size_t t = 0; t < count; ++t, m += kBlock) {
    const TilePlace place = tile_place(p, first + t);
    if (plain) {
      transform_output(p, m, place, y, [](Vec value, size_t, T* to) { store(to, value); });
    } else if (accumulate) {
      transform_output(p, m, place, y, [](Vec value, size_t, T* to) { store(to, add(load(to), value)); });
    } else {
      transform_output(p, m, place, y, [&](Vec value, size_t f, T* to) {
        store(to, activate(activation, bias ? add(value, load(bias + f)) : value));
      });
    }
  }
}

// ---------------------------------------------------------------- products

constexpr size_t kLaneVectors = kBlock / kWidth;          // vectors of sixteen filters
constexpr size_t kMostBlocks = kRegisters == 32 ? 2 : 1;  // sixteens of filters in registers at once
constexpr size_t most_tiles_of(size_t blocks) {           // beside them
  return kRegisters == 32 ? (blocks == 2 ? 12 : 24) : kLaneVectors == 2 ? 6 : 3;
}

// m [B, .., P, 16] = v [channels / 16, .., P, 16] times u [B, channels, 16].
template <size_t B, size_t P>
inline void product_at(const float* v, const float* u, size_t channels, float* m) {
  constexpr size_t kVectors = B * kLaneVectors;
  Vec sum[P][kVectors];
#pragma GCC unroll 24
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t k = 0; k < kVectors; ++k) sum[p][k] = zero();
  }
  for (size_t block = 0; block < channels; block += kBlock, v += kDepthStep) {
    for (size_t c = 0; c < kBlock; ++c) {
      Vec w[kVectors];
#pragma GCC unroll 4
      for (size_t k = 0; k < kVectors; ++k) {
        w[k] = load(u + (k / kLaneVectors * channels + block + c) * kBlock + k % kLaneVectors * kWidth);
      }
#pragma GCC unroll 24
      for (size_t p = 0; p < P; ++p) {
        const Vec value = set(v[p * kBlock + c]);
#pragma GCC unroll 4
        for (size_t k = 0; k < kVectors; ++k) sum[p][k] = fma(value, w[k], sum[p][k]);
      }
    }
  }
#pragma GCC unroll 24
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t k = 0; k < kVectors; ++k)
      store(m + k / kLaneVectors * kDepthStep + p * kBlock + k % kLaneVectors * kWidth, sum[p][k]);
  }
}

using ProductAt = void (*)(const float*, const float*, size_t, float*);

template <size_t B, size_t... P>
inline ProductAt product_at_of(size_t tiles, std::index_sequence<P...>) {
  static constexpr ProductAt kAll_[] = {product_at<B, P + 1>...};
  return kAll_[tiles - 1];
}
inline ProductAt product_at_of(size_t blocks, size_t tiles) {
  if constexpr (kMostBlocks == 2) {
    if (blocks == 2) return product_at_of<2>(tiles, std::make_index_sequence<most_tiles_of(2)>());
  }
  return product_at_of<1>(tiles, std::make_index_sequence<most_tiles_of(1)>());
}

// m = v u for each of the 36, `count` tiles.
inline void multiply_tiles(const TiledPass& p, const float* v, const float* u, size_t count, float* m) {
  const size_t filters = p.filters / kBlock;
  for (size_t product = 0; product < kTileProducts; ++product) {
    for (size_t f = 0; f < filters; f += kMostBlocks) {
      const size_t blocks = filters - f < kMostBlocks ? filters - f : kMostBlocks,
                   most = most_tiles_of(blocks);
      const size_t parts = (count + most - 1) / most, part = (count + parts - 1) / parts;
      for (size_t t = 0; t < count; t += part) {
        const size_t tiles = count - t < part ? count - t : part;
        product_at_of(blocks, tiles)(v + t * kBlock, u + f * p.channels * kBlock, p.channels,
                                     m + f * kDepthStep + t * kBlock);
      }
    }
    v += kProductStep, m += kProductStep, u += p.channels * p.filters;
  }
}

// sum [C][vectors of B sixteens] += over the tiles of one block
template <size_t B, size_t C>
inline void add_tiles(const float* v, const float* g, size_t tiles, Vec (&sum)[C][B * kLaneVectors]) {
  constexpr size_t kVectors = B * kLaneVectors;
  for (size_t t = 0; t < tiles; ++t, v += kBlock, g += kBlock) {
    Vec e[kVectors];
#pragma GCC unroll 4
    for (size_t k = 0; k < kVectors; ++k)
      e[k] = load(g + k / kLaneVectors * kDepthStep + k % kLaneVectors * kWidth);
#pragma GCC unroll 16
    for (size_t c = 0; c < C; ++c) {
      const Vec value = set(v[c]);
#pragma GCC unroll 4
      for (size_t k = 0; k < kVectors; ++k) sum[c][k] = fma(value, e[k], sum[c][k]);
    }
  }
}

// s [B, .., C, 16] (+)= sum over tiles of v [tiles, C of 16] and g [B, .., tiles, 16]; step: floats from a
// block of tiles to the next one's.
template <size_t B, size_t C>
inline void tile_sum_at(const float* v, const float* g, size_t tiles, size_t step, bool first, float* s,
                        size_t s_step) {
  constexpr size_t kVectors = B * kLaneVectors;
  Vec sum[C][kVectors];
#pragma GCC unroll 16
  for (size_t c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (size_t k = 0; k < kVectors; ++k) {
      const float* const from = s + k / kLaneVectors * s_step + c * kBlock + k % kLaneVectors * kWidth;
      sum[c][k] = first ? zero() : load(from);
    }
  }
  for (; tiles > kBlockTiles; tiles -= kBlockTiles, v += step, g += step)
    add_tiles<B, C>(v, g, kBlockTiles, sum);
  add_tiles<B, C>(v, g, tiles, sum);
#pragma GCC unroll 16
  for (size_t c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (size_t k = 0; k < kVectors; ++k)
      store(s + k / kLaneVectors * s_step + c * kBlock + k % kLaneVectors * kWidth, sum[c][k]);
  }
}

template <size_t B>
inline void tile_sums(const TiledPass& p, const float* v, const float* g, size_t count, size_t step,
                      bool first, float* s) {
  constexpr size_t kChannels = kRegisters == 32 ? 16 / B : kLaneVectors == 2 ? 4 : 2;
  for (size_t c = 0; c < p.channels; c += kChannels) {
    tile_sum_at<B, kChannels>(v + c / kBlock * kDepthStep + c % kBlock, g, count, step, first, s + c * kBlock,
                              p.channels * kBlock);
  }
}

// s [36, filters / 16, channels, 16] (+)= the products of `count` tiles of blocks that are `step` floats
// apart; first: overwrites.
inline void sum_tiles(const TiledPass& p, const float* v, const float* g, size_t count, size_t step,
                      bool first, float* s) {
  const size_t filters = p.filters / kBlock;
  for (size_t product = 0; product < kTileProducts; ++product) {
    for (size_t f = 0; f < filters; f += kMostBlocks) {
      float* const to = s + f * p.channels * kBlock;
      if (kMostBlocks == 2 && filters - f >= 2) {
        tile_sums<kMostBlocks>(p, v, g + f * kDepthStep, count, step, first, to);
      } else {
        tile_sums<1>(p, v, g + f * kDepthStep, count, step, first, to);
      }
    }
    v += kProductStep, g += kProductStep, s += p.channels * p.filters;
  }
}

// ---------------------------------------------------------------- weights

// u [36][one vector] = G w Gt of 3 x 3 vectors.
inline void transform_weight(const Vec (&w)[9], float* u, size_t step) {
  Vec down[3][6];
#pragma GCC unroll 3
  for (size_t j = 0; j < 3; ++j) {
    const Vec column[3] = {w[j], w[3 + j], w[6 + j]};
    weight_six(column, down[j]);
  }
#pragma GCC unroll 6
  for (size_t i = 0; i < 6; ++i) {
    const Vec row[3] = {down[0][i], down[1][i], down[2][i]};
    Vec out[6];
    weight_six(row, out);
#pragma GCC unroll 6
    for (size_t j = 0; j < 6; ++j) store(u + (i * 6 + j) * step, out[j]);
  }
}

// One sixteen of filters: w [9, channels, 16] in stored order.
inline void transform_weights(const float* w, size_t channels, float* u, size_t step) {
  for (size_t i = 0; i < channels * kBlock; i += kWidth) {
    Vec taps[9];
#pragma GCC unroll 9
    for (size_t t = 0; t < 9; ++t) taps[t] = load(w + t * channels * kBlock + i);
    transform_weight(taps, u + i, step);
  }
}

// dw [filters / 16, 9, channels, 16] = Gt s G
inline void weights_of_sums(const float* s, size_t channels, size_t filters, float* dw) {
  const size_t step = channels * filters;
  for (size_t f = 0; f < filters; f += kBlock, s += channels * kBlock, dw += 9 * channels * kBlock) {
    for (size_t i = 0; i < channels * kBlock; i += kWidth) {
      Vec down[6][3];
#pragma GCC unroll 6
      for (size_t j = 0; j < 6; ++j) {
        Vec column[6];
#pragma GCC unroll 6
        for (size_t k = 0; k < 6; ++k) column[k] = load(s + (k * 6 + j) * step + i);
        weight_three(column, down[j]);
      }
#pragma GCC unroll 3
      for (size_t k = 0; k < 3; ++k) {
        const Vec row[6] = {down[0][k], down[1][k], down[2][k], down[3][k], down[4][k], down[5][k]};
        Vec out[3];
        weight_three(row, out);
#pragma GCC unroll 3
        for (size_t j = 0; j < 3; ++j) store(dw + (k * 3 + j) * channels * kBlock + i, out[j]);
      }
    }
  }
}

// db [filters] = the sum of `pixels` rows of dy.
template <class T>
inline void sum_pixels(const T* dy, size_t pixels, size_t filters, float* db) {
  for (size_t f = 0; f < filters; f += kWidth) {
    Vec a = zero(), b = zero(), c = zero(), e = zero();
    const T* from = dy + f;
    size_t i = 0;
    for (; i + 4 <= pixels; i += 4, from += 4 * filters) {
      a = add(a, load(from)), b = add(b, load(from + filters));
      c = add(c, load(from + 2 * filters)), e = add(e, load(from + 3 * filters));
    }
    for (; i < pixels; ++i, from += filters) a = add(a, load(from));
    store(db + f, add(add(a, b), add(c, e)));
  }
}

}  // namespace PLAIT_SIMD
