// Loops of direct.cc over one sample. x is the padded input, [rows, columns, channels].
namespace PLAIT_SIMD {

using convolution::Direct;
using convolution::kBlock;

constexpr size_t kBlockVectors = kBlock / kWidth;
constexpr size_t kPixels = kRegisters == 32 ? 14 : kBlockVectors == 2 ? 6 : 3;  // of one register block
constexpr size_t kTaps = kRegisters == 32 ? 15 : kBlockVectors == 2 ? 6 : 3;

inline size_t parts_of(size_t n, size_t most) { return (n + most - 1) / most; }

// ---------------------------------------------------------------- input

// Channels-last with a border of zeros.
inline void pad_sample(const Direct& d, const float* x, float* to) {
  const auto& w = d.s.window;
  const size_t row = static_cast<size_t>(w.input[2]) * d.s.channels;
  const size_t left = static_cast<size_t>(w.padding[2]) * d.s.channels, padded_row = d.columns * d.s.channels;
  std::memset(to, 0, d.rows * padded_row * sizeof(float));
  for (size_t h = 0; h < static_cast<size_t>(w.input[1]); ++h) {
    std::memcpy(to + (h + static_cast<size_t>(w.padding[1])) * padded_row + left, x + h * row,
                row * sizeof(float));
  }
}

// One plane per channel, with a border of zeros; planes begin as zeros.
inline void planes_of_sample(const Direct& d, const float* x, float* to) {
  const auto& w = d.s.window;
  const size_t channels = d.s.channels, width = static_cast<size_t>(w.input[2]);
  for (size_t h = 0; h < static_cast<size_t>(w.input[1]); ++h) {
    float* const row =
        to + (h + static_cast<size_t>(w.padding[1])) * d.plane_row + static_cast<size_t>(w.padding[2]);
    if (channels == 1) {
      each(width, [&](size_t i, size_t n) { store(row + i, load(x + h * width + i, n), n); });
    } else {
      for (size_t i = 0; i < width; ++i) {
        for (size_t c = 0; c < channels; ++c) row[c * d.plane_stride + i] = x[(h * width + i) * channels + c];
      }
    }
  }
}

// ---------------------------------------------------------------- forward, vectors along filters

template <size_t P>
inline void filters_at(const Direct& d, const float* x, const float* weights, const float* bias, size_t lanes,
                       float* y) {
  Vec sum[P][kBlockVectors];
#pragma GCC unroll 16
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kBlockVectors; ++v) sum[p][v] = load(bias + v * kWidth);
  }
  const size_t step = static_cast<size_t>(d.s.window.stride[2]) * d.s.channels;
  for (size_t run = 0; run < d.runs.count; ++run) {
    const float* from = x + d.run_offset(run);
    for (size_t i = 0; i < d.runs.length; ++i, ++from, weights += kBlock) {
      Vec w[kBlockVectors];
#pragma GCC unroll 4
      for (size_t v = 0; v < kBlockVectors; ++v) w[v] = load(weights + v * kWidth);
#pragma GCC unroll 16
      for (size_t p = 0; p < P; ++p) {
        const Vec value = set(from[p * step]);
#pragma GCC unroll 4
        for (size_t v = 0; v < kBlockVectors; ++v) sum[p][v] = fma(value, w[v], sum[p][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kBlockVectors; ++v) {
      if (v * kWidth < lanes) {
        store(y + p * d.s.filters + v * kWidth, activate(d.s.activation, sum[p][v]), lanes - v * kWidth);
      }
    }
  }
}

using FiltersAt = void (*)(const Direct&, const float*, const float*, const float*, size_t, float*);

template <size_t... P>
inline FiltersAt filters_at_of(size_t pixels, std::index_sequence<P...>) {
  static constexpr FiltersAt kAll_[] = {filters_at<P + 1>...};
  return kAll_[pixels - 1];
}

// bias: [blocks, 16]
inline void forward_sample(const Direct& d, const float* x, const float* weights, const float* bias,
                           float* y) {
  const auto& w = d.s.window;
  const size_t filters = d.s.filters, taps = w.taps(), groups = parts_of(d.out_columns, kPixels);
  const size_t most = parts_of(d.out_columns, groups),
               column = static_cast<size_t>(w.stride[2]) * d.s.channels;
  for (size_t k = 0; k < filters; k += kBlock) {
    const size_t lanes = filters - k < kBlock ? filters - k : kBlock;
    const float* const block = weights + k * taps * d.s.channels;
    for (size_t h = 0; h < d.out_rows; ++h) {
      const float* const row = x + h * static_cast<size_t>(w.stride[1]) * d.columns * d.s.channels;
      float* const to = y + h * d.out_columns * filters + k;
      for (size_t at = 0; at < d.out_columns; at += most) {
        const size_t pixels = d.out_columns - at < most ? d.out_columns - at : most;
        filters_at_of(pixels, std::make_index_sequence<kPixels>())(d, row + at * column, block, bias + k,
                                                                   lanes, to + at * filters);
      }
    }
  }
}

// ---------------------------------------------------------------- weights' gradient, vectors along filters

// T weights of one run: sum over all output pixels of dy times x.
template <size_t T>
inline void taps_at(const Direct& d, const float* x, const float* dy, size_t lanes, float* dw) {
  Vec sum[T][kBlockVectors];
#pragma GCC unroll 16
  for (size_t t = 0; t < T; ++t) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kBlockVectors; ++v) sum[t][v] = load(dw + t * kBlock + v * kWidth);
  }
  const auto& w = d.s.window;
  const size_t step = static_cast<size_t>(w.stride[2]) * d.s.channels;
  const size_t row = static_cast<size_t>(w.stride[1]) * d.columns * d.s.channels;
  for (size_t h = 0; h < d.out_rows; ++h) {
    const float* from = x + h * row;
    for (size_t i = 0; i < d.out_columns; ++i, from += step, dy += d.s.filters) {
      Vec gradient[kBlockVectors];
#pragma GCC unroll 4
      for (size_t v = 0; v < kBlockVectors; ++v) {
        gradient[v] = v * kWidth < lanes ? load(dy + v * kWidth, lanes - v * kWidth) : zero();
      }
#pragma GCC unroll 16
      for (size_t t = 0; t < T; ++t) {
        const Vec value = set(from[t]);
#pragma GCC unroll 4
        for (size_t v = 0; v < kBlockVectors; ++v) sum[t][v] = fma(value, gradient[v], sum[t][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (size_t t = 0; t < T; ++t) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kBlockVectors; ++v) store(dw + t * kBlock + v * kWidth, sum[t][v]);
  }
}

using TapsAt = void (*)(const Direct&, const float*, const float*, size_t, float*);

template <size_t... T>
inline TapsAt taps_at_of(size_t taps, std::index_sequence<T...>) {
  static constexpr TapsAt kAll_[] = {taps_at<T + 1>...};
  return kAll_[taps - 1];
}

// Adds to dw, in stored order.
inline void weight_gradient_sample(const Direct& d, const float* x, const float* dy, float* dw) {
  const size_t groups = parts_of(d.runs.length, kTaps), most = parts_of(d.runs.length, groups);
  for (size_t k = 0; k < d.s.filters; k += kBlock) {
    const size_t lanes = d.s.filters - k < kBlock ? d.s.filters - k : kBlock;
    float* to = dw + k * d.s.window.taps() * d.s.channels;
    for (size_t run = 0; run < d.runs.count; ++run, to += d.runs.length * kBlock) {
      for (size_t at = 0; at < d.runs.length; at += most) {
        const size_t taps = d.runs.length - at < most ? d.runs.length - at : most;
        taps_at_of(taps, std::make_index_sequence<kTaps>())(d, x + d.run_offset(run) + at, dy + k, lanes,
                                                            to + at * kBlock);
      }
    }
  }
}

// ---------------------------------------------------------------- input gradient, vectors along a run

// turned [run, filter, runs.stored] = weights, zeros past the run's length
inline void turn_weights(const Direct& d, const float* weights, float* turned) {
  const size_t taps_channels = d.runs.count * d.runs.length;
  for (size_t run = 0; run < d.runs.count; ++run) {
    for (size_t k = 0; k < d.s.filters; ++k, turned += d.runs.stored) {
      const float* from = weights + (k / kBlock * taps_channels + run * d.runs.length) * kBlock + k % kBlock;
      for (size_t i = 0; i < d.runs.length; ++i) turned[i] = from[i * kBlock];
      for (size_t i = d.runs.length; i < d.runs.stored; ++i) turned[i] = 0;
    }
  }
}

// Sums of P output pixels over the rows of the window that reach input row `h`: [P, runs.stored], from column
// `run_column` of the window when it has gaps, else of whole rows.
template <size_t P, size_t V>
inline void row_at(const Direct& d, const float* turned, const float* dy, size_t h, float* sums) {
  Vec sum[P][V];
#pragma GCC unroll 16
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) sum[p][v] = zero();
  }
  const size_t filters = d.s.filters, stored = d.runs.stored;
  for (size_t kernel_row = 0; kernel_row < d.kernel_rows; ++kernel_row) {
    const size_t row = d.output_row(h, kernel_row);
    if (row >= d.out_rows) continue;
    const float* gradient = dy + row * d.out_columns * filters;
    const float* w = turned + kernel_row * d.runs_in_row * filters * stored;
    for (size_t k = 0; k < filters; ++k, ++gradient, w += stored) {
      Vec weight[V];
#pragma GCC unroll 4
      for (size_t v = 0; v < V; ++v) weight[v] = load(w + v * kWidth);
#pragma GCC unroll 16
      for (size_t p = 0; p < P; ++p) {
        const Vec value = set(gradient[p * filters]);
#pragma GCC unroll 4
        for (size_t v = 0; v < V; ++v) sum[p][v] = fma(value, weight[v], sum[p][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) store(sums + p * stored + v * kWidth, sum[p][v]);
  }
}

constexpr size_t kRunVectors = kRegisters == 32 ? 3 : 2;
constexpr size_t run_pixels(size_t vectors) {  // registers but for weights and a spare one
  return kRegisters == 32 ? (vectors == 3 ? 8 : vectors == 2 ? 12 : 14) : (vectors == 2 ? 6 : 12);
}

using RowAt = void (*)(const Direct&, const float*, const float*, size_t, float*);

template <size_t V, size_t... P>
inline RowAt row_at_of(size_t pixels, std::index_sequence<P...>) {
  static constexpr RowAt kAll_[] = {row_at<P + 1, V>...};
  return kAll_[pixels - 1];
}
inline RowAt row_at_of(size_t pixels, size_t vectors) {
  if constexpr (kRunVectors == 3) {
    if (vectors == 3) return row_at_of<3>(pixels, std::make_index_sequence<run_pixels(3)>());
  }
  if (vectors == 2) return row_at_of<2>(pixels, std::make_index_sequence<run_pixels(2)>());
  return row_at_of<1>(pixels, std::make_index_sequence<run_pixels(1)>());
}

// Adds every pixel's run to its place in a row. Neighbours overlap: those that do not come one after the
// other, so that a load seldom waits for the store before it.
inline void add_runs(const Direct& d, const float* sums, float* row) {
  const size_t step = static_cast<size_t>(d.s.window.stride[2]) * d.s.channels,
               phases = parts_of(d.runs.stored, step);
  for (size_t phase = 0; phase < phases; ++phase) {
    for (size_t p = phase; p < d.out_columns; p += phases) {
      for (size_t i = 0; i < d.runs.stored; i += kWidth) {
        float* const to = row + p * step + i;
        store(to, add(load(to), load(sums + p * d.runs.stored + i)));
      }
    }
  }
}

// dx, the gradient of the padded input, begins as zeros and has room for a vector past its end.
// sums: [out_columns, runs.stored]
inline void input_gradient_sample(const Direct& d, const float* turned, const float* dy, float* sums,
                                  float* dx) {
  const size_t vectors = d.runs.stored / kWidth, chunks = parts_of(vectors, kRunVectors);
  const size_t chunk = parts_of(vectors, chunks);
  for (size_t h = 0; h < d.rows; ++h) {
    for (size_t run = 0; run < d.runs_in_row; ++run) {
      const float* const block = turned + run * d.s.filters * d.runs.stored;
      for (size_t v = 0; v < vectors; v += chunk) {
        const size_t n = vectors - v < chunk ? vectors - v : chunk;
        const size_t groups = parts_of(d.out_columns, run_pixels(n)), most = parts_of(d.out_columns, groups);
        for (size_t at = 0; at < d.out_columns; at += most) {
          const size_t pixels = d.out_columns - at < most ? d.out_columns - at : most;
          row_at_of(pixels, n)(d, block + v * kWidth, dy + at * d.s.filters, h,
                               sums + at * d.runs.stored + v * kWidth);
        }
      }
      add_runs(d, sums, dx + h * d.columns * d.s.channels + d.run_offset(run));
    }
  }
}

// dx (+)= the inside of the padded gradient.
inline void crop_sample(const Direct& d, const float* padded, float* dx, bool accumulate) {
  const auto& w = d.s.window;
  const size_t row = static_cast<size_t>(w.input[2]) * d.s.channels;
  for (size_t h = 0; h < static_cast<size_t>(w.input[1]); ++h, dx += row) {
    const size_t place =
        (h + static_cast<size_t>(w.padding[1])) * d.columns + static_cast<size_t>(w.padding[2]);
    const float* const from = padded + place * d.s.channels;
    if (!accumulate) {
      std::memcpy(dx, from, row * sizeof(float));
    } else {
      each(row, [&](size_t i, size_t n) { store(dx + i, add(load(dx + i, n), load(from + i, n)), n); });
    }
  }
}

// ---------------------------------------------------------------- gradient of the output

// to = dy f'(x), where y = f(x); y is not read when f is the identity
template <class T>
inline void undo_activation(const plait::sdk::Activation& f, const T* y, const T* dy, T* to, size_t count) {
  const bool identity = f.kind == plait::sdk::Activation::Kind::kIdentity;
  each(count, [&](size_t i, size_t n) {
    const Vec gradient = load(dy + i, n);
    store(to + i, identity ? gradient : mul(gradient, slope(f, load(y + i, n))), n);
  });
}

inline void bias_gradient_sample(const Direct& d, const float* dy, float* db) {
  const size_t pixels = d.out_rows * d.out_columns;
  for (size_t k = 0; k < d.s.filters; k += kWidth) {
    const size_t n = d.s.filters - k < kWidth ? d.s.filters - k : kWidth;
    Vec a = load(db + k, n), b = zero(), c = zero(), e = zero();
    size_t i = 0;
    for (; i + 4 <= pixels; i += 4) {
      const float* const from = dy + i * d.s.filters + k;
      a = add(a, load(from, n)), b = add(b, load(from + d.s.filters, n));
      c = add(c, load(from + 2 * d.s.filters, n)), e = add(e, load(from + 3 * d.s.filters, n));
    }
    for (; i < pixels; ++i) a = add(a, load(dy + i * d.s.filters + k, n));
    store(db + k, add(add(a, b), add(c, e)), n);
  }
}

// ---------------------------------------------------------------- wide: up to 8 filters, vectors along
// pixels

constexpr size_t kWideVectors = kRegisters == 32 ? 2 : 1;

// Pixels [at, at + V vectors) of one row: K filters. `room`: pixels from the first one to the sample's end.
template <size_t K, size_t V>
inline void wide_at(const Direct& d, const float* planes, const float* weights, const float* bias,
                    size_t pixels, size_t room, float* y) {
  constexpr size_t kFilled = (K + 3) / 4 * 4;
  Vec sum[kFilled][V];
#pragma GCC unroll 8
  for (size_t k = 0; k < kFilled; ++k) {
#pragma GCC unroll 2
    for (size_t v = 0; v < V; ++v) sum[k][v] = k < K ? set(bias[k]) : zero();
  }
  const auto& w = d.s.window;
  for (size_t h = 0; h < static_cast<size_t>(w.kernel[1]); ++h) {
    for (size_t i = 0; i < static_cast<size_t>(w.kernel[2]); ++i) {
      const float* from = planes + h * static_cast<size_t>(w.dilation[1]) * d.plane_row +
                          i * static_cast<size_t>(w.dilation[2]);
      for (size_t c = 0; c < d.s.channels; ++c, from += d.plane_stride, weights += kBlock) {
        Vec x[V];
#pragma GCC unroll 2
        for (size_t v = 0; v < V; ++v) x[v] = load(from + v * kWidth);
#pragma GCC unroll 8
        for (size_t k = 0; k < K; ++k) {
          const Vec weight = set(weights[k]);
#pragma GCC unroll 2
          for (size_t v = 0; v < V; ++v) sum[k][v] = fma(weight, x[v], sum[k][v]);
        }
      }
    }
  }
#pragma GCC unroll 2
  for (size_t v = 0; v < V; ++v) {
#pragma GCC unroll 8
    for (size_t k = 0; k < K; ++k) sum[k][v] = activate(d.s.activation, sum[k][v]);
    transpose4(sum[0][v], sum[1][v], sum[2][v], sum[3][v]);
    if constexpr (kFilled == 8) transpose4(sum[4][v], sum[5][v], sum[6][v], sum[7][v]);
#pragma GCC unroll 4
    for (size_t part = 0; part < kParts; ++part) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) {
        const size_t pixel = v * kWidth + part * 4 + j;
        // A store may reach into pixels that are written later, but not after the sample.
        if (pixel < pixels && pixel * K + kFilled <= room * K) {
          store_four(y + pixel * K, sum[j][v], part);
          if constexpr (kFilled == 8) store_four(y + pixel * K + 4, sum[4 + j][v], part);
        } else if (pixel < pixels) {
          float four[8];
          store_four(four, sum[j][v], part);
          if constexpr (kFilled == 8) store_four(four + 4, sum[4 + j][v], part);
          std::memcpy(y + pixel * K, four, K * sizeof(float));
        }
      }
    }
  }
}

template <size_t K>
inline void wide_forward(const Direct& d, const float* planes, const float* weights, const float* bias,
                         float* y) {
  constexpr size_t kMost = kWideVectors * kWidth;
  for (size_t h = 0; h < d.out_rows; ++h) {
    const float* const row = planes + h * static_cast<size_t>(d.s.window.stride[1]) * d.plane_row;
    float* const to = y + h * d.out_columns * K;
    for (size_t at = 0; at < d.out_columns; at += kMost) {
      const size_t left = d.out_columns - at, room = (d.out_rows - h) * d.out_columns - at;
      if (left <= kWidth) {
        wide_at<K, 1>(d, row + at, weights, bias, left, room, to + at * K);
      } else {
        wide_at<K, kWideVectors>(d, row + at, weights, bias, left < kMost ? left : kMost, room, to + at * K);
      }
    }
  }
}

template <size_t... K>
inline void wide_forward_sample(const Direct& d, const float* planes, const float* weights, const float* bias,
                                float* y, std::index_sequence<K...>) {
  using Function = void (*)(const Direct&, const float*, const float*, const float*, float*);
  static constexpr Function kAll_[] = {wide_forward<K + 1>...};
  kAll_[d.s.filters - 1](d, planes, weights, bias, y);
}
inline void wide_forward_sample(const Direct& d, const float* planes, const float* weights, const float* bias,
                                float* y) {
  wide_forward_sample(d, planes, weights, bias, y, std::make_index_sequence<8>());
}

// turned [filters, out_rows, turned_row] = dy [out_rows, out_columns, filters]; after a row stay zeros. dy
// has room for two vectors past its end.
inline void turn_gradient_sample(const Direct& d, const float* dy, float* turned) {
  const size_t filters = d.s.filters, plane = d.out_rows * d.turned_row;
  for (size_t h = 0; h < d.out_rows; ++h) {
    for (size_t at = 0; at < d.out_columns; at += kWidth) {
      const size_t n = d.out_columns - at < kWidth ? d.out_columns - at : kWidth;
      for (size_t k = 0; k < filters; k += 4) {
        const float* const from = dy + (h * d.out_columns + at) * filters + k;
        Vec four[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j) four[j] = load_fours(from + j * filters, 4 * filters);
        transpose4(four[0], four[1], four[2], four[3]);
        float* const to = turned + k * plane + h * d.turned_row + at;
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j) {
          if (k + j < filters) store(to + j * plane, four[j], n);
        }
      }
    }
  }
}

// Adds to db the sums of turned.
inline void wide_bias_gradient_sample(const Direct& d, const float* turned, float* db) {
  const size_t plane = d.out_rows * d.turned_row;  // whole vectors
  for (size_t k = 0; k < d.s.filters; ++k, turned += plane) {
    Vec sums[4] = {zero(), zero(), zero(), zero()};
    size_t i = 0;
    for (; i + 4 * kWidth <= plane; i += 4 * kWidth) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) sums[j] = add(sums[j], load(turned + i + j * kWidth));
    }
    for (; i < plane; i += kWidth) sums[0] = add(sums[0], load(turned + i));
    db[k] += sum(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
  }
}

// K filters and T taps side by side: adds to sums [.., T][8 filters] of vectors, one lane per pixel of a
// vector.
template <size_t K, size_t T>
inline void wide_taps_at(const Direct& d, const float* planes, const float* turned, float* sums) {
  Vec sum[K][T];
#pragma GCC unroll 4
  for (size_t k = 0; k < K; ++k) {
#pragma GCC unroll 8
    for (size_t t = 0; t < T; ++t) sum[k][t] = load(sums + (t * 8 + k) * kWidth);
  }
  const auto& w = d.s.window;
  const size_t plane = d.out_rows * d.turned_row, step = static_cast<size_t>(w.dilation[2]);
  for (size_t h = 0; h < d.out_rows; ++h) {
    const float* x = planes + h * static_cast<size_t>(w.stride[1]) * d.plane_row;
    const float* dy = turned + h * d.turned_row;
    for (size_t at = 0; at < d.out_columns; at += kWidth, x += kWidth, dy += kWidth) {
      Vec value[T];
#pragma GCC unroll 8
      for (size_t t = 0; t < T; ++t) value[t] = load(x + t * step);
#pragma GCC unroll 4
      for (size_t k = 0; k < K; ++k) {
        const Vec gradient = load(dy + k * plane);
#pragma GCC unroll 8
        for (size_t t = 0; t < T; ++t) sum[k][t] = fma(gradient, value[t], sum[k][t]);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t k = 0; k < K; ++k) {
#pragma GCC unroll 8
    for (size_t t = 0; t < T; ++t) store(sums + (t * 8 + k) * kWidth, sum[k][t]);
  }
}

constexpr size_t kWideFilters = kRegisters == 32 ? 3 : 2, kWideTaps = 5;

template <size_t K>
inline void wide_taps(const Direct& d, const float* planes, const float* turned, size_t taps, float* sums) {
  if (taps == 5) return wide_taps_at<K, 5>(d, planes, turned, sums);
  if (taps == 4) return wide_taps_at<K, 4>(d, planes, turned, sums);
  if (taps == 3) return wide_taps_at<K, 3>(d, planes, turned, sums);
  if (taps == 2) return wide_taps_at<K, 2>(d, planes, turned, sums);
  wide_taps_at<K, 1>(d, planes, turned, sums);
}

// Adds to sums [channel, tap, 8 filters] of vectors.
inline void wide_weight_gradient_sample(const Direct& d, const float* planes, const float* turned,
                                        float* sums) {
  const auto& w = d.s.window;
  const size_t kernel_columns = static_cast<size_t>(w.kernel[2]), plane = d.out_rows * d.turned_row;
  for (size_t c = 0; c < d.s.channels; ++c, planes += d.plane_stride) {
    for (size_t h = 0; h < static_cast<size_t>(w.kernel[1]); ++h, sums += kernel_columns * 8 * kWidth) {
      const float* const row = planes + h * static_cast<size_t>(w.dilation[1]) * d.plane_row;
      for (size_t tap = 0; tap < kernel_columns; tap += kWideTaps) {
        const size_t taps = kernel_columns - tap < kWideTaps ? kernel_columns - tap : kWideTaps;
        for (size_t k = 0; k < d.s.filters; k += kWideFilters) {
          const float* const x = row + tap * static_cast<size_t>(w.dilation[2]);
          const float* const dy = turned + k * plane;
          float* const to = sums + (tap * 8 + k) * kWidth;
          const size_t filters = d.s.filters - k;
          if (kWideFilters == 3 && filters >= 3) {
            wide_taps<3>(d, x, dy, taps, to);
          } else if (filters >= 2) {
            wide_taps<2>(d, x, dy, taps, to);
          } else {
            wide_taps<1>(d, x, dy, taps, to);
          }
        }
      }
    }
  }
}

// dw in stored order += the vectors' sums.
inline void wide_add_sums(const Direct& d, const float* sums, float* dw) {
  const size_t taps = d.s.window.taps();
  for (size_t c = 0; c < d.s.channels; ++c) {
    for (size_t tap = 0; tap < taps; ++tap, sums += 8 * kWidth) {
      for (size_t k = 0; k < d.s.filters; ++k) {
        dw[(tap * d.s.channels + c) * kBlock + k] += sum(load(sums + k * kWidth));
      }
    }
  }
}

}  // namespace PLAIT_SIMD
