// What a thread of flip.cu does: an element of a batch.
#pragma once
#include <plait/abi.h>
#include <plait/anywhere.hpp>
#include <plait/cuda/divide.hpp>
#include <plait/cuda/philox.hpp>

namespace plait::flip {

// Element i of y [N, H, W, C]. V: an unsigned type as wide as the part's.
template <class V>
struct Mirror {
  const V* x;
  V* y;
  const plait_rng* rngs;  // [N]
  uint64_t height, width, channels;
  double horizontal, vertical;  // chances

  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const auto pixel = sdk::gpu::divide(i, channels);
    const auto row = sdk::gpu::divide(pixel.quotient, width);
    const auto picture = sdk::gpu::divide(row.quotient, height);
    // The first two words, as Random::chance takes them.
    const auto words = sdk::gpu::philox(rngs[picture.quotient], 0);
    const bool across = words.word[0] * 0x1p-32 < horizontal, down = words.word[1] * 0x1p-32 < vertical;
    const uint64_t from_row = down ? height - 1 - picture.remainder : picture.remainder;
    const uint64_t from_column = across ? width - 1 - row.remainder : row.remainder;
    y[i] = x[((picture.quotient * height + from_row) * width + from_column) * channels + pixel.remainder];
  }
};

}  // namespace plait::flip
