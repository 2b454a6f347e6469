// What a convolution's kernels are told: extents, what is asked, and the order in which weights are stored.
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>
#include <plait/window.hpp>

namespace convolution {

using plait::sdk::Activation;
using plait::sdk::Checked;

struct ConvolutionShape {
  plait::sdk::Window window;
  size_t batch, channels, filters, groups;
  bool has_bias, need_dx, need_dw, training;
  bool bf16;  // x, y and their gradients
  Activation activation;

  size_t sample_inputs() const { return Checked(window.inputs()) * channels; }
  size_t sample_outputs() const { return Checked(window.outputs()) * filters; }
  size_t weights() const { return Checked(filters) * (channels / groups) * window.taps(); }
  size_t value_bytes() const { return bf16 ? sizeof(uint16_t) : sizeof(float); }
  bool activates() const { return activation.kind != Activation::Kind::kIdentity; }
};

constexpr size_t kBlock = 16;  // filters side by side

// Stored order: [filters / 16, taps, channels, 16], filled up with zeros; with groups the plain order.
inline size_t stored_weights(const ConvolutionShape& s) {
  if (s.groups > 1) return s.weights();
  return plait::sdk::round_up(s.filters, kBlock) * s.window.taps() * s.channels;
}
inline size_t stored_bias(const ConvolutionShape& s) { return s.filters; }

// The place of plain weight [filter, channel, tap] in stored order, no groups.
inline size_t stored_place(const ConvolutionShape& s, size_t filter, size_t channel, size_t tap) {
  return ((filter / kBlock * s.window.taps() + tap) * s.channels + channel) * kBlock + filter % kBlock;
}

}  // namespace convolution
