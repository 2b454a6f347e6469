#include "winograd.hpp"

#include <plait/bf16.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <utility>

#include "direct.hpp"

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "winograd.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "winograd.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "winograd.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace convolution {

using plait::sdk::Context;
using plait::sdk::LayerCall;
using plait::sdk::round_up;

namespace {

constexpr size_t kTaps = 9, kMostPieces = 8;
// Channels times filters up to which the sums of the weights' gradient stay in a core's second cache.
constexpr size_t kFewSums = 4096;

size_t whole_blocks(Checked floats) { return round_up(floats, kBlock); }

TiledPass forward_pass(const ConvolutionShape& s) {
  const auto extent = [](int64_t n) { return static_cast<size_t>(n); };
  const auto& w = s.window;
  return {extent(w.input[1]),  extent(w.input[2]), s.channels,           extent(w.output[1]),
          extent(w.output[2]), s.filters,          extent(w.padding[1]), extent(w.padding[2])};
}

// Of dx from dy.
TiledPass turned(const TiledPass& p) {
  return {p.out_rows, p.out_columns, p.filters,      p.rows,
          p.columns,  p.channels,    2 - p.pad_rows, 2 - p.pad_columns};
}

// Up to eight pieces, of as many tiles as a block has at least: each transforms its weights' gradient back.
size_t samples_of_piece(const ConvolutionShape& s, const TiledPass& p) {
  const auto part = [](size_t n, size_t parts) { return (n + parts - 1) / parts; };
  return std::max(part(s.batch, kMostPieces), part(kBlockTiles, p.tiles()));
}

// The weights that make dx of dy: stored order [channels / 16, 9, filters, 16] of one sixteen of channels,
// kernels mirrored.
void turn_weights(const float* w, size_t channels, size_t filters, size_t first, float* to) {
  for (size_t f = 0; f < filters; ++f) {
    const float* const kernel = w + f / kBlock * kTaps * channels * kBlock + f % kBlock;
    for (size_t tap = 0; tap < kTaps; ++tap) {
      const float* const from = kernel + ((kTaps - 1 - tap) * channels + first) * kBlock;
      for (size_t c = 0; c < kBlock; ++c) to[(tap * filters + f) * kBlock + c] = from[c * kBlock];
    }
  }
}

}  // namespace

// A part of the workspace for as long as a piece runs; there is one for every lane. Which one has no effect
// on what is computed.
class Winograd::Slot {
 public:
  Slot(const Winograd& w, float* workspace) : flags_(reinterpret_cast<uint32_t*>(workspace)) {
    for (;; std::this_thread::yield()) {
      for (number_ = 0; number_ < w.slots_; ++number_) {
        if (std::atomic_ref(flags_[number_]).exchange(1, std::memory_order_acquire) == 0) {
          floats = workspace + w.at_.slots + number_ * w.at_.slot;
          return;
        }
      }
    }
  }
  ~Slot() { std::atomic_ref(flags_[number_]).store(0, std::memory_order_release); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  float* floats = nullptr;

 private:
  uint32_t* flags_;
  size_t number_ = 0;
};

template <class T>
struct Winograd::Convolved {
  const TiledPass& pass;
  const T* from;
  const float *weights, *bias;
  const Activation& activation;
  T* to;
  bool accumulate;
};

bool Winograd::can(const ConvolutionShape& s) {
  const auto& w = s.window;
  for (const int axis : {1, 2}) {
    if (w.kernel[axis] != 3 || w.stride[axis] != 1 || w.dilation[axis] != 1 || w.padding[axis] > 2)
      return false;
  }
  return w.axes == 2 && s.groups == 1 && s.channels % kBlock == 0 && s.filters % kBlock == 0;
}

std::string Winograd::wants(const ConvolutionShape& s) {
  const auto& w = s.window;
  return plait::sdk::text(
      "convolves by kernels of 3x3 over two axes, with stride and dilation 1, padding up to 2, without "
      "groups, "
      "channels and filters in sixteens; got kernel ",
      w.text_of(w.kernel), ", stride ", w.text_of(w.stride), ", dilation ", w.text_of(w.dilation),
      ", padding ", w.text_of(w.padding), ", ", s.groups, " groups, ", s.channels, " channels, ", s.filters,
      " filters");
}

bool Winograd::suits(const ConvolutionShape& s, plait::sdk::Spec x) {
  const size_t most_weights = s.bf16 ? 500'000 : 1'000'000;  // oneDNN's products of bf16 cost half
  for (const int axis : {1, 2}) {
    if (can(s) && !x.varies(axis) && s.window.output[axis] < static_cast<int64_t>(kTileOutputs)) return false;
  }
  return can(s) && stored_weights(s) <= most_weights;
}

Winograd::Winograd(const ConvolutionShape& shape, int lanes)
    : s(shape),
      forward_(forward_pass(s)),
      backward_(turned(forward_)),
      grain_(samples_of_piece(s, forward_)),
      blocks_summed_(s.channels * s.filters > kFewSums ? 4 : 1),
      slots_(std::min<size_t>(static_cast<size_t>(lanes), kMostPieces)) {
  if (s.batch > 0) lay_out();
}

void Winograd::lay_out() {
  Checked at = kBlock;  // flags of the slots
  const auto place = [&](bool needed, Checked floats) {
    return std::exchange(at, at + (needed ? whole_blocks(floats) : 0));
  };
  const size_t depth = std::max(s.channels, s.filters);
  const bool dw = s.training && s.need_dw;
  at_.zeros = place(true, depth);
  at_.undone = place(s.training && s.activates(), Checked(s.batch) * (s.sample_outputs() / (s.bf16 ? 2 : 1)));
  at_.pieces = place(dw, Checked(pieces()) * (Checked(weights()) + s.filters));
  at_.slots = at;
  const Checked part = Checked(depth / kBlock) * kDepthStep * blocks_summed_;
  at_.other = part;
  at_.sums = part * 2;
  at_.slot = part * 2 + (dw ? transformed_weights() : 0);
  workspace_ = at + Checked(slots_) * at_.slot;
}

size_t Winograd::prepared_bytes() const {
  const bool dx = s.training && s.need_dx;
  const Checked floats = Checked(transformed_weights()) * (dx ? 2 : 1) + (dx ? weights() : 0);
  return floats * sizeof(float);
}

// Prepared: the transformed weights of forward, then those of dx, then what these are made of.
void Winograd::prepare(Context& c, const LayerCall& call) const {
  const float* const w = call.parameter(0);
  const size_t step = s.channels * s.filters;
  float* const u = call.prepared<float>();
  c.parallel_for(s.filters / kBlock, 1, [&](size_t i) {
    PLAIT_SIMD_CALL(transform_weights, w + i * kTaps * s.channels * kBlock, s.channels,
                    u + i * s.channels * kBlock, step);
  });
  if (!(s.training && s.need_dx)) return;
  float* const u_turned = u + transformed_weights();
  float* const w_turned = u_turned + transformed_weights();
  c.parallel_for(s.channels / kBlock, 1, [&](size_t i) {
    float* const mine = w_turned + i * kTaps * s.filters * kBlock;
    turn_weights(w, s.channels, s.filters, i * kBlock, mine);
    PLAIT_SIMD_CALL(transform_weights, mine, s.filters, u_turned + i * s.filters * kBlock, step);
  });
}

// The workspace, ready for pieces.
float* Winograd::begin(const LayerCall& call) const {
  auto* const workspace = call.workspace<float>();
  std::memset(workspace, 0, kBlock * sizeof(float));
  std::memset(workspace + at_.zeros, 0, std::max(s.channels, s.filters) * sizeof(float));
  return workspace;
}

// Samples first to last.
template <class T>
void Winograd::convolve(const Convolved<T>& what, size_t first, size_t last, const T* zeros,
                        float* slot) const {
  const TiledPass& p = what.pass;
  for (size_t t = first * p.tiles(); t < last * p.tiles(); t += kBlockTiles) {
    const size_t count = std::min(kBlockTiles, last * p.tiles() - t);
    PLAIT_SIMD_CALL(transform_inputs, p, what.from, t, count, zeros, slot);
    PLAIT_SIMD_CALL(multiply_tiles, p, slot, what.weights, count, slot + at_.other);
    PLAIT_SIMD_CALL(transform_outputs, p, slot + at_.other, t, count, what.bias, what.activation,
                    what.accumulate, what.to);
  }
}

template <class T>
void Winograd::forward_of(Context& c, const LayerCall& call) const {
  float* const workspace = begin(call);
  const T* const zeros = reinterpret_cast<const T*>(workspace + at_.zeros);
  const Convolved<T> what{forward_,
                          call.input().data<const T>().data(),
                          call.prepared<float>(),
                          s.has_bias ? call.parameter(1) : nullptr,
                          s.activation,
                          call.output().data<T>().data(),
                          false};
  c.parallel_for(s.batch, grain_, [&](size_t first, size_t last) {
    const Slot slot(*this, workspace);
    convolve(what, first, last, zeros, slot.floats);
  });
}

void Winograd::forward(Context& c, const LayerCall& call) const {
  if (s.batch > 0) s.bf16 ? forward_of<uint16_t>(c, call) : forward_of<float>(c, call);
}

// dw = of samples first to last
template <class T>
void Winograd::sum_weights(const T* x, const T* dy, size_t first, size_t last, const T* zeros, float* slot,
                           float* dw) const {
  const TiledPass& p = forward_;
  const size_t from = first * p.tiles(), many = blocks_summed_ * kBlockTiles,
               step = at_.other / blocks_summed_;
  float* const other = slot + at_.other;
  for (size_t t = from; t < last * p.tiles(); t += many) {
    const size_t count = std::min(many, last * p.tiles() - t);
    for (size_t k = 0; k < count; k += kBlockTiles) {
      const size_t tiles = std::min(kBlockTiles, count - k), at = k / kBlockTiles * step;
      PLAIT_SIMD_CALL(transform_inputs, p, x, t + k, tiles, zeros, slot + at);
      PLAIT_SIMD_CALL(transform_gradients, p, dy, t + k, tiles, zeros, other + at);
    }
    PLAIT_SIMD_CALL(sum_tiles, p, slot, other, count, step, t == from, slot + at_.sums);
  }
  PLAIT_SIMD_CALL(weights_of_sums, slot + at_.sums, s.channels, s.filters, dw);
}

// The pieces' gradients in order.
void Winograd::add_pieces(Context& c, const float* from, float* dw, float* db) const {
  const size_t step = weights() + s.filters;
  const auto add = [&](float* to, const float* piece, size_t begin, size_t end) {
    std::copy(piece + begin, piece + end, to + begin);
    for (size_t k = 1; k < pieces(); ++k) {
      piece += step;
      for (size_t i = begin; i < end; ++i) to[i] += piece[i];
    }
  };
  if (dw) c.parallel_for(weights(), [&](size_t begin, size_t end) { add(dw, from, begin, end); });
  if (db) add(db, from + weights(), 0, s.filters);
}

template <class T>
void Winograd::backward_of(Context& c, const LayerCall& call, float* dw, float* db) const {
  T* const dx = s.need_dx && call.input_gradient() ? call.input_gradient().data<T>().data() : nullptr;
  float* const workspace = begin(call);
  const T* const zeros = reinterpret_cast<const T*>(workspace + at_.zeros);
  const T* const x = call.input().data<const T>().data();
  const T* dy = call.output_gradient().data<const T>().data();
  if (s.activates()) {
    T* const undone = reinterpret_cast<T*>(workspace + at_.undone);
    undo(c, s.activation, call.output().data<const T>().data(), dy, undone, s.batch * s.sample_outputs());
    dy = undone;
  }
  const float* const u_turned = call.prepared<float>() + transformed_weights();
  const Activation none;
  const Convolved<T> what{backward_, dy, u_turned, nullptr, none, dx, call.accumulate()};
  c.parallel_for(s.batch, grain_, [&](size_t first, size_t last) {
    const Slot slot(*this, workspace);
    float* const piece = workspace + at_.pieces + first / grain_ * (weights() + s.filters);
    if (dw) sum_weights(x, dy, first, last, zeros, slot.floats, piece);
    if (db) {
      PLAIT_SIMD_CALL(sum_pixels, dy + first * s.sample_outputs(), (last - first) * s.window.outputs(),
                      s.filters, piece + weights());
    }
    if (dx) convolve(what, first, last, zeros, slot.floats);
  });
  add_pieces(c, workspace + at_.pieces, dw, db);
}

void Winograd::backward(Context& c, const LayerCall& call) const {
  float* const dw = s.need_dw ? call.parameter_gradient(0) : nullptr;
  float* const db = s.need_dw && s.has_bias ? call.parameter_gradient(1) : nullptr;
  if (s.batch > 0)
    return s.bf16 ? backward_of<uint16_t>(c, call, dw, db) : backward_of<float>(c, call, dw, db);
  if (dw) std::fill_n(dw, weights(), 0.0f);
  if (db) std::fill_n(db, s.filters, 0.0f);
}

}  // namespace convolution
