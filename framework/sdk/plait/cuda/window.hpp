// A Window (<plait/window.hpp>) as kernels of poolings walk it: by one output, or by all windows that hold an
// input. Index: uint32_t where it counts all elements, since a card divides those several times as fast.
// Threads: [any]
#pragma once
#include <plait/anywhere.hpp>
#include <plait/window.hpp>

namespace plait::sdk::gpu {

template <class Index>
struct WindowGrid {
  Index input[3], output[3], kernel[3], stride[3], padding[3], channels;

  WindowGrid(const Window& w, uint64_t channels_) : channels(static_cast<Index>(channels_)) {
    for (int a = 0; a < 3; ++a) {
      input[a] = static_cast<Index>(w.input[a]), output[a] = static_cast<Index>(w.output[a]);
      kernel[a] = static_cast<Index>(w.kernel[a]), stride[a] = static_cast<Index>(w.stride[a]);
      padding[a] = static_cast<Index>(w.padding[a]);
    }
  }

  struct Place {
    Index n, at[3], channel;  // at: D, H, W
  };
  // Of element i of [N, extents, channels].
  PLAIT_ANYWHERE Place place(Index i, const Index (&extents)[3]) const {
    Place p;
    p.channel = i % channels, i /= channels;
    for (int a = 2; a >= 0; --a) p.at[a] = i % extents[a], i /= extents[a];
    return p.n = i, p;
  }
  PLAIT_ANYWHERE Index element(const Place& p, const Index (&extents)[3]) const {
    return (((p.n * extents[0] + p.at[0]) * extents[1] + p.at[1]) * extents[2] + p.at[2]) * channels +
           p.channel;
  }

  struct Range {
    Index begin, end;
  };
  // Taps of output place `at` along axis a that are inputs.
  PLAIT_ANYWHERE Range taps(int a, Index at) const {
    const Index first = at * stride[a];  // in the padded input
    const Index begin = first < padding[a] ? padding[a] - first : 0;
    const Index left = input[a] + padding[a] - first;
    return {begin, left < kernel[a] ? left : kernel[a]};
  }
  // Output places along axis a whose windows hold input place `at`.
  PLAIT_ANYWHERE Range windows(int a, Index at) const {
    const Index last = at + padding[a];
    const Index begin = last < kernel[a] ? 0 : (last - kernel[a]) / stride[a] + 1;
    const Index end = last / stride[a] + 1;
    return {begin, end < output[a] ? end : output[a]};
  }

  // body(tap, element of the input) for the taps of an output that are inputs, row by row.
  template <class Body>
  PLAIT_ANYWHERE void each_tap(const Place& output_place, const Body& body) const {
    const Range ds = taps(0, output_place.at[0]), hs = taps(1, output_place.at[1]),
                ws = taps(2, output_place.at[2]);
    Place x = output_place;
    for (Index d = ds.begin; d < ds.end; ++d) {
      x.at[0] = output_place.at[0] * stride[0] + d - padding[0];
      for (Index h = hs.begin; h < hs.end; ++h) {
        x.at[1] = output_place.at[1] * stride[1] + h - padding[1];
        x.at[2] = output_place.at[2] * stride[2] + ws.begin - padding[2];
        Index from = element(x, input);
        const Index row = (d * kernel[1] + h) * kernel[2];
        for (Index w = ws.begin; w < ws.end; ++w, from += channels) body(row + w, from);
      }
    }
  }
  // body(tap, place of the output) for the windows that hold an input, in the order of outputs.
  template <class Body>
  PLAIT_ANYWHERE void each_window(const Place& input_place, const Body& body) const {
    const Range ds = windows(0, input_place.at[0]), hs = windows(1, input_place.at[1]),
                ws = windows(2, input_place.at[2]);
    Place y = input_place;
    for (y.at[0] = ds.begin; y.at[0] < ds.end; ++y.at[0]) {
      const Index d = input_place.at[0] + padding[0] - y.at[0] * stride[0];
      for (y.at[1] = hs.begin; y.at[1] < hs.end; ++y.at[1]) {
        const Index h = input_place.at[1] + padding[1] - y.at[1] * stride[1];
        for (y.at[2] = ws.begin; y.at[2] < ws.end; ++y.at[2]) {
          const Index w = input_place.at[2] + padding[2] - y.at[2] * stride[2];
          body((d * kernel[1] + h) * kernel[2] + w, static_cast<const Place&>(y));
        }
      }
    }
  }
};

// Whether 32 bits count elements, and places in a padded input.
inline bool fits_32_bits(const Window& w, uint64_t batch, uint64_t channels) {
  double most = static_cast<double>(batch) * static_cast<double>(channels);
  for (int a = 0; a < 3; ++a)
    most *= static_cast<double>(w.padded(a)) + static_cast<double>(w.stride[a] + w.kernel[a]);
  return most < 0x1p31;
}

}  // namespace plait::sdk::gpu
