#include "direct.hpp"

#include <plait/bf16.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "direct.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "direct.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "direct.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace convolution {

using plait::sdk::Context;
using plait::sdk::LayerCall;

namespace {

constexpr size_t kMostWidth = 16;  // lanes of the widest vector

size_t filled(Checked n) { return round_up(n, kMostWidth); }

// Few filters would leave most lanes of a vector of filters empty; then a row of pixels fills it better.
bool is_wide(const ConvolutionShape& s) {
  return s.filters <= 8 && s.channels <= 4 && s.window.stride[2] == 1 && s.window.output[2] >= 8;
}

}  // namespace

bool Direct::can(const ConvolutionShape& shape) { return shape.groups == 1 && shape.window.axes <= 2; }

bool Direct::suits(const ConvolutionShape& shape) {
  constexpr size_t kMostWeights = 100'000;  // 400 kB
  return can(shape) && shape.channels < 16 && stored_weights(shape) <= kMostWeights;
}

template <class T>
void undo(Context& c, const Activation& f, const T* y, const T* dy, T* to, size_t count) {
  c.parallel_for(count, c.lanes() == 1 ? count : Context::kDefaultGrain, [&](size_t begin, size_t end) {
    PLAIT_SIMD_CALL(undo_activation, f, y + begin, dy + begin, to + begin, end - begin);
  });
}
template void undo(Context&, const Activation&, const float*, const float*, float*, size_t);
template void undo(Context&, const Activation&, const uint16_t*, const uint16_t*, uint16_t*, size_t);

Direct::Direct(const ConvolutionShape& shape, int lanes) : s(shape), wide(is_wide(shape)) {
  const auto& w = s.window;
  rows = static_cast<size_t>(w.padded(1));
  columns = static_cast<size_t>(w.padded(2));
  out_rows = static_cast<size_t>(w.output[1]);
  out_columns = static_cast<size_t>(w.output[2]);
  kernel_rows = static_cast<size_t>(w.kernel[1]);
  const auto kernel_columns = static_cast<size_t>(w.kernel[2]);
  const bool whole_row = w.dilation[2] == 1;
  runs_in_row = whole_row ? 1 : kernel_columns;
  runs.count = kernel_rows * runs_in_row;
  runs.length = Checked(whole_row ? kernel_columns : 1) * s.channels;
  runs.stored = filled(runs.length);
  turned_row = filled(out_columns);
  plane_row = columns + kMostWidth;
  plane_stride = Checked(rows) * plane_row + 2 * kMostWidth;
  lay_out(lanes);
}

void Direct::lay_out(int lanes) {
  Checked at = 0;
  const auto place = [&](bool needed, Checked floats) {
    return std::exchange(at, at + (needed ? filled(floats) : 0));
  };
  const Checked padded = Checked(rows) * columns * s.channels, planes = Checked(s.channels) * plane_stride;
  const bool dw = s.training && s.need_dw, dx = s.training && s.need_dx;
  scratch.input = place(wide || pads(), wide ? planes : padded + kMostWidth);
  scratch.gradient = place(dw || dx, Checked(s.filters) * 8 * kMostWidth + s.sample_outputs());
  scratch.turned = place(wide && dw, Checked(s.filters) * out_rows * turned_row);
  scratch.input_gradient = place(dx, padded + 2 * kMostWidth);
  scratch.run_sums = place(dx, Checked(out_columns) * runs.stored);
  scratch.weights = place(dw, stored_weights(s));
  scratch.bias = place(true, filled(s.filters));
  scratch.sums = place(wide && dw, Checked(s.channels) * s.window.taps() * 8 * kMostWidth);
  scratch.size = at;
  turned_weights_ = dx ? filled(Checked(runs.count) * s.filters * runs.stored) : 0;
  if (s.batch > 0) workspace_ = Checked(scratch.size) * (lanes == 1 ? 1 : pieces()) + turned_weights_;
}

void Direct::forward(Context& c, const LayerCall& call) const {
  if (s.batch == 0) return;
  const float* x = call.input().f32().data();
  float* y = call.output().f32().data();
  const float* weights = call.parameter(0);
  c.parallel_for(s.batch, grain(), [&](size_t begin, size_t end) {
    float* const mine =
        call.workspace<float>() + turned_weights_ + (c.lanes() == 1 ? 0 : begin / grain() * scratch.size);
    float* const input = mine + scratch.input;
    float* const bias = mine + scratch.bias;
    std::fill_n(bias, filled(s.filters), 0.0f);
    if (s.has_bias) std::copy_n(call.parameter(1), s.filters, bias);
    if (wide) std::fill_n(input, s.channels * plane_stride, 0.0f);
    for (size_t n = begin; n < end; ++n) {
      const float* from = x + n * s.sample_inputs();
      float* const to = y + n * s.sample_outputs();
      if (wide) {
        PLAIT_SIMD_CALL(planes_of_sample, *this, from, input);
        PLAIT_SIMD_CALL(wide_forward_sample, *this, input, weights, bias, to);
        continue;
      }
      if (pads()) PLAIT_SIMD_CALL(pad_sample, *this, from, input);
      PLAIT_SIMD_CALL(forward_sample, *this, pads() ? input : from, weights, bias, to);
    }
  });
}

// first: the first piece, which overwrites.
void Direct::add_pieces(float* dw, float* db, const float* piece, bool first) const {
  const auto add = [&](float* to, const float* from, size_t count) {
    if (first) return void(std::copy_n(from, count, to));
    for (size_t i = 0; i < count; ++i) to[i] += from[i];
  };
  if (dw) add(dw, piece + scratch.weights, stored_weights(s));
  if (db) add(db, piece + scratch.bias, s.filters);
}

void Direct::backward(Context& c, const LayerCall& call) const {
  float* const dw = s.need_dw ? call.parameter_gradient(0) : nullptr;
  float* const db = s.need_dw && s.has_bias ? call.parameter_gradient(1) : nullptr;
  float* const dx = s.need_dx && call.input_gradient() ? call.input_gradient().f32().data() : nullptr;
  float* const turned_weights = call.workspace<float>();
  if (s.batch == 0) {
    if (dw) std::fill_n(dw, stored_weights(s), 0.0f);
    if (db) std::fill_n(db, s.filters, 0.0f);
    return;
  }
  const float* x = call.input().f32().data();
  const float* y = s.activates() ? call.output().f32().data() : nullptr;
  const float* dy = call.output_gradient().f32().data();
  if (dx) PLAIT_SIMD_CALL(turn_weights, *this, call.parameter(0), turned_weights);
  const bool one = c.lanes() == 1;
  c.parallel_for(s.batch, grain(), [&](size_t begin, size_t end) {
    float* const mine = turned_weights + turned_weights_ + (one ? 0 : begin / grain() * scratch.size);
    float* const gradient = mine + scratch.gradient;
    float* const input = mine + scratch.input;
    if (dw) std::fill_n(mine + scratch.weights, stored_weights(s), 0.0f);
    if (db) std::fill_n(mine + scratch.bias, s.filters, 0.0f);
    if (wide && dw) {
      std::fill_n(input, s.channels * plane_stride, 0.0f);
      std::fill_n(mine + scratch.turned, s.filters * out_rows * turned_row, 0.0f);
      std::fill_n(mine + scratch.sums, s.window.taps() * s.channels * 8 * kMostWidth, 0.0f);
    }
    for (size_t n = begin; n < end; ++n) {
      const float* const from = x + n * s.sample_inputs();
      const size_t out = n * s.sample_outputs();
      PLAIT_SIMD_CALL(undo_activation, s.activation, y ? y + out : nullptr, dy + out, gradient,
                      s.sample_outputs());
      if (dw && wide) {
        PLAIT_SIMD_CALL(planes_of_sample, *this, from, input);
        PLAIT_SIMD_CALL(turn_gradient_sample, *this, gradient, mine + scratch.turned);
        PLAIT_SIMD_CALL(wide_weight_gradient_sample, *this, input, mine + scratch.turned,
                        mine + scratch.sums);
      } else if (dw) {
        if (pads()) PLAIT_SIMD_CALL(pad_sample, *this, from, input);
        PLAIT_SIMD_CALL(weight_gradient_sample, *this, pads() ? input : from, gradient,
                        mine + scratch.weights);
      }
      if (db && dw && wide)
        PLAIT_SIMD_CALL(wide_bias_gradient_sample, *this, mine + scratch.turned, mine + scratch.bias);
      else if (db)
        PLAIT_SIMD_CALL(bias_gradient_sample, *this, gradient, mine + scratch.bias);
      if (!dx) continue;
      float* const padded = mine + scratch.input_gradient;
      std::fill_n(padded, rows * columns * s.channels + 2 * kMostWidth, 0.0f);
      PLAIT_SIMD_CALL(input_gradient_sample, *this, turned_weights, gradient, mine + scratch.run_sums,
                      padded);
      PLAIT_SIMD_CALL(crop_sample, *this, padded, dx + n * s.sample_inputs(), call.accumulate());
    }
    if (wide && dw) PLAIT_SIMD_CALL(wide_add_sums, *this, mine + scratch.sums, mine + scratch.weights);
    if (one) add_pieces(dw, db, mine, begin == 0);
  });
  for (size_t piece = 0; !one && piece < pieces(); ++piece) {
    add_pieces(dw, db, turned_weights + turned_weights_ + piece * scratch.size, piece == 0);
  }
}

}  // namespace convolution
