// What a thread of dropout.cu does: eight elements, whose fates are the bits of a byte.
#pragma once
#include <plait/cuda/philox.hpp>

namespace layers {

// y = x factor where x is kept.
struct DropoutScale {
  float factor;
  const float* from;
  float* to;
  uint64_t count;

  PLAIT_ANYWHERE void eight(uint64_t byte, unsigned kept) const {
    const uint64_t begin = 8 * byte, end = begin + 8 < count ? begin + 8 : count;
    for (uint64_t i = begin; i < end; ++i, kept >>= 1) to[i] = kept & 1u ? from[i] * factor : 0.0f;
  }
};

struct DropoutForward {
  plait_rng rng;
  uint64_t limit;  // of 2^32: words below it drop their element
  DropoutScale scale;
  uint8_t* kept;

  // Of elements 8 byte .. 8 byte + 7: which are kept. The host's words in the host's order.
  PLAIT_ANYWHERE void operator()(uint64_t byte) const {
    unsigned bits = 0;
    for (unsigned half = 0; half < 2; ++half) {
      const auto words = plait::sdk::gpu::philox(rng, 2 * byte + half);
      for (unsigned j = 0; j < 4; ++j) bits |= (words.word[j] >= limit ? 1u : 0u) << (4 * half + j);
    }
    kept[byte] = static_cast<uint8_t>(bits);
    scale.eight(byte, bits);
  }
};

struct DropoutBackward {
  DropoutScale scale;
  const uint8_t* kept;

  PLAIT_ANYWHERE void operator()(uint64_t byte) const { scale.eight(byte, kept[byte]); }
};

}  // namespace layers
