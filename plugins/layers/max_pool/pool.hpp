// The windows of a pooling, walked in the order of the output.
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>
#include <plait/window.hpp>

#include <cstring>
#include <vector>

// One window: where its first tap lies in a sample's input (may be before it, in the padding), and its
// output.
struct PoolWindow {
  ptrdiff_t origin;  // floats
  size_t output;     // floats
  int64_t d, h, w;   // of the first tap
  bool inside;       // no tap lies in the padding
};

struct Pool {
  plait::sdk::Window window;
  size_t channels, taps, sample_inputs, sample_outputs;
  bool disjoint, tiles;            // no two windows share input; every input lies in a window
  std::vector<ptrdiff_t> offsets;  // of each tap from the first

  Pool(const plait::sdk::Window& over, size_t channels_)
      : window(over),
        channels(channels_),
        taps(over.taps()),
        sample_inputs(over.inputs() * channels_),
        sample_outputs(over.outputs() * channels_),
        disjoint(true),
        tiles(true) {
    for (int a = 0; a < 3; ++a) {
      disjoint = disjoint && window.stride[a] >= window.kernel[a] && window.padding[a] == 0;
      tiles = tiles && window.output[a] * window.stride[a] == window.input[a] &&
              window.stride[a] == window.kernel[a];
    }
    tiles = tiles && disjoint;
    for (int64_t d = 0; d < window.kernel[0]; ++d) {
      for (int64_t h = 0; h < window.kernel[1]; ++h) {
        for (int64_t w = 0; w < window.kernel[2]; ++w) offsets.push_back(offset(d, h, w));
      }
    }
  }

  ptrdiff_t offset(int64_t d, int64_t h, int64_t w) const {
    return ((d * window.input[1] + h) * window.input[2] + w) * static_cast<ptrdiff_t>(channels);
  }

  template <class Body>
  void each_window(const Body& body) const {
    const auto& o = window.output;
    PoolWindow at{0, 0, 0, 0, 0, true};
    for (int64_t d = 0; d < o[0]; ++d) {
      for (int64_t h = 0; h < o[1]; ++h) {
        at.d = first(0, d), at.h = first(1, h);
        const bool rows_inside = inside(0, at.d) && inside(1, at.h);
        for (int64_t w = 0; w < o[2]; ++w, at.output += channels) {
          at.w = first(2, w);
          at.inside = rows_inside && inside(2, at.w);
          at.origin = offset(at.d, at.h, at.w);
          body(at);
        }
      }
    }
  }

  // body(tap) for the taps that do not lie in the padding.
  template <class Body>
  void each_tap_inside(const PoolWindow& at, const Body& body) const {
    size_t tap = 0;
    for (int64_t d = 0; d < window.kernel[0]; ++d) {
      for (int64_t h = 0; h < window.kernel[1]; ++h) {
        for (int64_t w = 0; w < window.kernel[2]; ++w, ++tap) {
          if (within(0, at.d + d) && within(1, at.h + h) && within(2, at.w + w)) body(tap);
        }
      }
    }
  }

 private:
  int64_t first(int axis, int64_t place) const { return place * window.stride[axis] - window.padding[axis]; }
  bool within(int axis, int64_t place) const { return place >= 0 && place < window.input[axis]; }
  bool inside(int axis, int64_t place) const {
    return place >= 0 && place + window.kernel[axis] <= window.input[axis];
  }
};
