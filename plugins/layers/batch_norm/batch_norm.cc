// Batch normalization. Source: Ioffe, Szegedy 2015, algorithms 1 and 2.
#include "batch_norm.h"

#include <plait/bf16.hpp>
#include <plait/kernel_notes.hpp>
#include <plait/onednn.hpp>
#include <plait/sdk/fast.hpp>
#include <plait/tile_function.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include "onednn.hpp"
#include "rows.h"

using namespace plait::sdk;

namespace layers {
namespace {

// Sums of this many channels are kept in registers while rows go by.
constexpr size_t kTogether = 8;
typedef double Sums __attribute__((vector_size(kTogether * sizeof(double))));
typedef float Values __attribute__((vector_size(kTogether * sizeof(float)), aligned(4)));

PLAIT_INLINE void widen(const float* from, Sums& to) {
  to = __builtin_convertvector(*reinterpret_cast<const Values*>(from), Sums);
}

// sums [2, channels] += column sums over rows of u = a - from, and of u v with v = b - about
PLAIT_FAST void add_sums(const float* a, const float* from, const float* b, const float* about, size_t rows,
                         size_t columns, double* sums, size_t channels) {
  double* const products = sums + channels;
  size_t c = 0;
  for (; c + kTogether <= columns; c += kTogether) {
    Sums base, base_of_b, sum, product, u, v;
    widen(from + c, base);
    widen(about + c, base_of_b);
    __builtin_memcpy(&sum, sums + c, sizeof sum);
    __builtin_memcpy(&product, products + c, sizeof product);
    for (size_t at = c, r = 0; r < rows; ++r, at += columns) {
      widen(a + at, u);
      widen(b + at, v);
      u -= base;
      v -= base_of_b;
      sum += u;
      product += u * v;
    }
    __builtin_memcpy(sums + c, &sum, sizeof sum);
    __builtin_memcpy(products + c, &product, sizeof product);
  }
  for (; c < columns; ++c) {
    for (size_t at = c, r = 0; r < rows; ++r, at += columns) {
      const double u = static_cast<double>(a[at]) - static_cast<double>(from[c]);
      sums[c] += u;
      products[c] += u * (static_cast<double>(b[at]) - static_cast<double>(about[c]));
    }
  }
}

// As add_sums, of a tile of numbers that bf16 held: sums of it run in f32, off by rows 2^-24 where a number
// is by 2^-9, and take half the time.
constexpr size_t kTogetherInF32 = 16;
typedef float Short __attribute__((vector_size(kTogetherInF32 * sizeof(float)), aligned(4)));
typedef double Wide __attribute__((vector_size(kTogetherInF32 * sizeof(double)), aligned(8)));

PLAIT_FAST void add_short_sums(const float* a, const float* from, const float* b, const float* about,
                               size_t rows, size_t columns, double* sums, size_t channels) {
  size_t c = 0;
  for (; c + kTogetherInF32 <= columns; c += kTogetherInF32) {
    const Short base = *reinterpret_cast<const Short*>(from + c);
    const Short base_of_b = *reinterpret_cast<const Short*>(about + c);
    Short sum{}, product{};
    for (size_t at = c, r = 0; r < rows; ++r, at += columns) {
      const Short u = *reinterpret_cast<const Short*>(a + at) - base;
      sum += u;
      product += u * (*reinterpret_cast<const Short*>(b + at) - base_of_b);
    }
    *reinterpret_cast<Wide*>(sums + c) += __builtin_convertvector(sum, Wide);
    *reinterpret_cast<Wide*>(sums + channels + c) += __builtin_convertvector(product, Wide);
  }
  for (; c < columns; ++c) {
    float sum = 0, product = 0;
    for (size_t at = c, r = 0; r < rows; ++r, at += columns) {
      sum += a[at] - from[c];
      product += (a[at] - from[c]) * (b[at] - about[c]);
    }
    sums[c] += static_cast<double>(sum);
    sums[channels + c] += static_cast<double>(product);
  }
}

template <class T>
constexpr auto kAddSums = sizeof(T) == sizeof(uint16_t) ? &add_short_sums : &add_sums;

// y = (x - mean) factor + bias, by channel: the difference first, which is small where the factor is large
PLAIT_FAST void normalize(const float* x, const float* mean, const float* factor, const float* bias,
                          size_t rows, size_t channels, float* y) {
  for (size_t r = 0; r < rows; ++r, x += channels, y += channels) {
    for (size_t c = 0; c < channels; ++c) y[c] = (x[c] - mean[c]) * factor[c] + bias[c];
  }
}

// dx = a dy, by channel
PLAIT_FAST void scale(const float* dy, const float* a, size_t rows, size_t channels, float* dx) {
  for (size_t r = 0; r < rows; ++r, dy += channels, dx += channels) {
    for (size_t c = 0; c < channels; ++c) dx[c] = a[c] * dy[c];
  }
}

// dx = a (dy - dy0) + b (x - x0), by channel: differences first, as above
PLAIT_FAST void combine(const float* dy, const float* x, const float* a, const float* dy0, const float* b,
                        const float* x0, size_t rows, size_t channels, float* dx) {
  for (size_t r = 0; r < rows; ++r, dy += channels, x += channels, dx += channels) {
    for (size_t c = 0; c < channels; ++c) dx[c] = a[c] * (dy[c] - dy0[c]) + b[c] * (x[c] - x0[c]);
  }
}

}  // namespace

struct BatchNorm::Kernel {
  const BatchNorm& config;
  size_t channels;
  BatchRows rows;
  bool fixed;  // by the running statistics, in training too
  TileFunction function;
  std::optional<BatchNormOneDnn> onednn;

  Kernel(const BatchNorm& config_, Context& c, const LayerRequest& r, LayerNeeds& n)
      : config(config_),
        channels(static_cast<size_t>(r.input().shape(-1))),
        rows(r.input()),
        fixed(r.parameters_frozen() && !config_.adapt_frozen),
        function(TileFunction::of(r)) {
    if (r.training() && !fixed && rows.all() == 1)
      throw Error("input is ", r.input(),
                  ": one value a channel has no variance to train by; wanted a batch of 2 or more");
    n.backward_reads(fixed && function.is_identity() ? Reads::nothing : Reads::inputs);
    if (r.training() && !fixed) n.saved(2 * channels * sizeof(float));  // mean, 1 / deviation
    const size_t own = pieces() * 2 * channels * sizeof(double) + 7 * channels * sizeof(float);
    n.workspace(std::max(own, make_onednn(r)));
    const KernelNotes notes(c);
    if (config.implementation == "auto") notes.chose("implementation", "own");
    if (onednn) onednn->note(notes);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn && call.training()) return onednn->forward(call, config.share(call));
    is_bf16(call.input()) ? forward_of<uint16_t>(c, call) : forward_of<float>(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    is_bf16(call.output_gradient()) ? backward_of<uint16_t>(c, call) : backward_of<float>(c, call);
  }

 private:
  static bool is_bf16(Tensor t) { return t.dtype() == DType::bf16; }

  // T: float, or the 16 bits of bf16. A tile of these is widened, so that all loops are those of f32.
  template <class T>
  void forward_of(Context& c, const LayerCall& call) const {
    const T* x = call.input().data<const T>().data();
    const Factors by = factors(call);
    const bool by_batch = call.training() && !fixed;
    if (by_batch) learn(c, call, x, by.mean);
    find(call, by, by_batch);
    T* y = call.output().data<T>().data();
    each_tile(c, call, y, [&](const Tile& tile) {
      float wide[kTile], made[kTile];
      float* const to = place_of_f32(y + tile.at, made);
      apply(by, in_f32(x + tile.at, wide, tile.size()), tile, to);
      keep_f32(to, y + tile.at, tile.size());
    });
  }

  // With z = (x - m) i: dbias = sum dy, dweight = sum dy z, dx = w i (dy - dbias / n - z dweight / n).
  // Where a function is absorbed, dy is what it leaves of dy: made anew for each tile, twice, which costs
  // less than a way to memory and back.
  template <class T>
  void backward_of(Context& c, const LayerCall& call) const {
    if (fixed) return backward_fixed<T>(c, call);
    const T* x = call.input().data<const T>().data();
    const T* dy = call.output_gradient().data<const T>().data();
    const Factors by = factors(call);
    float *a = by.end(channels), *b = a + channels, *dy0 = b + channels, *x0 = dy0 + channels;
    find(call, by, true);
    std::fill_n(dy0, channels, 0.0f);
    for (size_t k = 0; k < channels; ++k) x0[k] = kept(call, k).mean;
    const auto count = static_cast<double>(rows.count(call.input()));
    const double* sums = sum(c, call, [&](const Tile& tile, double* partial) {
      float wide[kTile], undone[kTile];
      const float* here = in_f32(x + tile.at, wide, tile.size());
      const float* d = undo(by, here, dy, tile, undone);
      kAddSums<T>(d, dy0 + tile.channel, here, x0 + tile.channel, tile.rows, tile.columns,
                  partial + tile.channel, channels);
    });
    for (size_t k = 0; k < channels; ++k) {
      const double inverse = kept(call, k).inverse_deviation;
      const double dbias = sums[k], dweight = sums[channels + k] * inverse;
      if (float* dw = call.parameter_gradient(0)) dw[k] = static_cast<float>(dweight);
      if (float* db = call.parameter_gradient(1)) db[k] = static_cast<float>(dbias);
      const double scale = call.parameter(0)[k] * inverse, slope = scale * inverse * dweight / count;
      a[k] = static_cast<float>(scale);
      b[k] = static_cast<float>(-slope);
      dy0[k] = static_cast<float>(dbias / count);
    }
    if (!call.input_gradient()) return;
    T* dx = call.input_gradient().data<T>().data();
    each_tile(c, call, dx, [&](const Tile& t) {
      float wide[kTile], undone[kTile], made[kTile];
      const float* here = in_f32(x + t.at, wide, t.size());
      const float* d = undo(by, here, dy, t, undone);
      float* const to = place_of_f32(dx + t.at, made);
      combine(d, here, a + t.channel, dy0 + t.channel, b + t.channel, x0 + t.channel, t.rows, t.columns, to);
      keep_f32(to, dx + t.at, t.size());
    });
  }

  // Where it is wanted and the batch's statistics are taken. Returns the bytes of workspace.
  size_t make_onednn(const LayerRequest& r) {
    if (config.implementation != "onednn" || !r.training() || fixed || rows.all() == 0 ||
        !function.is_identity())
      return 0;
    onednn.emplace(
        BatchNormShape{static_cast<int64_t>(rows.all()), static_cast<int64_t>(channels), config.epsilon});
    return onednn->workspace_bytes();
  }

  struct Statistics {
    float mean, inverse_deviation;
  };
  struct Factors {  // [channels] each
    float *factor, *mean, *bias;
    float* end(size_t channels) const { return bias + channels; }
  };

  size_t grain() const {
    return std::max<size_t>(1 + Context::kDefaultGrain / (channels + 1), (rows.all() + 63) / 64);
  }
  size_t pieces() const { return (rows.all() + grain() - 1) / grain(); }
  Factors factors(const LayerCall& call) const {
    auto* first = reinterpret_cast<float*>(call.workspace<double>() + pieces() * 2 * channels);
    return {first, first + channels, first + 2 * channels};
  }
  void find(const LayerCall& call, const Factors& by, bool by_batch) const {
    for (size_t k = 0; k < channels; ++k) {
      const Statistics s = by_batch ? kept(call, k) : running(call, k);
      by.factor[k] = call.parameter(0)[k] * s.inverse_deviation;
      by.mean[k] = s.mean;
      by.bias[k] = call.parameter(1)[k];
    }
  }

  // work(tile) for all that samples have; the rest of `made` is zeros.
  template <class T, class Work>
  void each_tile(Context& c, const LayerCall& call, T* made, const Work& work) const {
    c.parallel_for(rows.all(), grain(), [&](size_t begin, size_t end) {
      if (rows.vary()) std::fill(made + begin * channels, made + end * channels, T{0});
      rows.tiles(call.input(), begin, end, work);
    });
  }

  // y [tile]: the layer's output, of x [tile].
  void apply(const Factors& by, const float* x, const Tile& tile, float* y) const {
    normalize(x, by.mean + tile.channel, by.factor + tile.channel, by.bias + tile.channel, tile.rows,
              tile.columns, y);
    if (!function.is_identity()) function.apply(y, y, tile.size());
  }
  // [tile]: the gradient before the absorbed function, in `undone` [kTile] or where dy is. x [tile].
  template <class T>
  const float* undo(const Factors& by, const float* x, const T* dy, const Tile& tile, float* undone) const {
    if (function.is_identity()) return in_f32(dy + tile.at, undone, tile.size());
    float wide[kTile];
    const float* const d = in_f32(dy + tile.at, wide, tile.size());
    apply(by, x, tile, undone);
    function.undo(undone, d, undone, tile.size());
    return undone;
  }

  // [2, channels]: what add(tile, partial [2, channels]) adds up over all tiles. Pieces are added in their
  // order.
  template <class Add>
  const double* sum(Context& c, const LayerCall& call, Add add) const {
    auto* partial = call.workspace<double>();
    std::fill_n(partial, pieces() * 2 * channels, 0.0);
    c.parallel_for(rows.all(), grain(), [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; r += grain()) {
        rows.tiles(call.input(), r, std::min(end, r + grain()),
                   [&](const Tile& tile) { add(tile, partial + r / grain() * 2 * channels); });
      }
    });
    for (size_t piece = 1; piece < pieces(); ++piece) {
      for (size_t k = 0; k < 2 * channels; ++k) partial[k] += partial[piece * 2 * channels + k];
    }
    return partial;
  }

  // The batch's statistics, into saved memory and the running ones. The sums are taken about the batch's
  // first row, which is as near to the mean as the deviation is: nothing cancels where the mean is large.
  // sum (x - x0)^2 - (sum (x - x0))^2 / n loses few digits then, in f64.
  template <class T>
  void learn(Context& c, const LayerCall& call, const T* x, float* about) const {
    const auto count = static_cast<double>(rows.count(call.input()));
    if (rows.vary() && count < 2)
      throw Error("the samples of the batch have ", count,
                  " values a channel, which have no variance to train by; wanted 2 or more");
    const float* const first = in_f32(x + rows.first(call.input()) * channels, about, channels);
    if (first != about) std::copy_n(first, channels, about);
    const double* sums = sum(c, call, [&](const Tile& tile, double* partial) {
      float wide[kTile];
      const float* here = in_f32(x + tile.at, wide, tile.size());
      kAddSums<T>(here, about + tile.channel, here, about + tile.channel, tile.rows, tile.columns,
                  partial + tile.channel, channels);
    });
    auto* saved = call.saved<float>();
    for (size_t k = 0; k < channels; ++k) {
      const double off = sums[k] / count, mean = static_cast<double>(about[k]) + off;
      const double variance = std::max(sums[channels + k] / count - off * off, 0.0);
      saved[k] = static_cast<float>(mean);
      saved[channels + k] = static_cast<float>(1 / std::sqrt(variance + config.epsilon));
      follow(call, 0, k, mean);
      follow(call, 1, k, variance * count / std::max(count - 1, 1.0));
    }
  }
  void follow(const LayerCall& call, size_t buffer, size_t k, double batch) const {
    float& running = call.buffer(buffer)[k];
    running = followed(running, batch, config.share(call));
  }

  // Frozen: neither parameters nor statistics change, and dx = w i dy.
  template <class T>
  void backward_fixed(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const T* x = function.is_identity() ? nullptr : call.input().data<const T>().data();
    const T* dy = call.output_gradient().data<const T>().data();
    T* dx = call.input_gradient().data<T>().data();
    const Factors by = factors(call);
    find(call, by, false);
    each_tile(c, call, dx, [&](const Tile& tile) {
      float wide[kTile], undone[kTile];
      const float* const here = x == nullptr ? nullptr : in_f32(x + tile.at, wide, tile.size());
      const float* d = undo(by, here, dy, tile, undone);
      float* const to = place_of_f32(dx + tile.at, wide);
      scale(d, by.factor + tile.channel, tile.rows, tile.columns, to);
      keep_f32(to, dx + tile.at, tile.size());
    });
  }

  Statistics kept(const LayerCall& call, size_t k) const {
    return {call.saved<float>()[k], call.saved<float>()[channels + k]};
  }
  Statistics running(const LayerCall& call, size_t k) const {
    const double variance = std::max(static_cast<double>(call.buffer(1)[k]), 0.0);
    return {call.buffer(0)[k], static_cast<float>(1 / std::sqrt(variance + config.epsilon))};
  }
};

}  // namespace layers

PLAIT_PLUGIN("plait.batch_norm", "1.0.0", "Apache-2.0",
             takes_bf16(layer<layers::BatchNorm>("plait.batch_norm")), numerics(&onednn_facts));
