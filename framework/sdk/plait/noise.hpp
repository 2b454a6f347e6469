// Random numbers for every value of a sample, many at a time: vectors of Philox's counters. Optional; sdk.hpp
// does not include it.
//
//   fill_normals(call.random().split(1), noise, count);
//
// Number i follows from the generator's key and i alone. Bits are those of one instruction set
// (sdk/fast.hpp). Threads: [any]
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "functions.hpp"
#include "sdk/fast.hpp"
#include "sdk/random.hpp"

namespace plait::sdk {

namespace detail {

constexpr size_t kNoiseLanes = 16;               // blocks of counters at a time
constexpr size_t kNoiseWords = 4 * kNoiseLanes;  // of them

// Words of the blocks first .. first + 15: word w of block b is words[16 w + b].
inline void noise_words_plainly(const Random& random, uint64_t first, uint32_t* words) {
  for (size_t b = 0; b < kNoiseLanes; ++b) {
    const PhiloxBlock block = random.block(first + b);
    for (size_t w = 0; w < 4; ++w) words[kNoiseLanes * w + b] = block[w];
  }
}
#if defined(__x86_64__)
[[maybe_unused]] __attribute__((target("avx2"))) static __m256i in_all_lanes(uint64_t x) {
  return _mm256_set1_epi64x(static_cast<long long>(x));
}
// Four blocks a vector. A lane of 64 bits holds a word in its lower half, the rest is whatever was left
// there.
[[maybe_unused]] __attribute__((target("avx2"))) static void noise_words_by_four(const Random& random,
                                                                                 uint64_t first,
                                                                                 uint32_t* words) {
  const plait_rng rng = random.c();
  for (size_t at = 0; at < kNoiseLanes; at += 4) {
    __m256i a = _mm256_add_epi64(in_all_lanes(first + at), _mm256_set_epi64x(3, 2, 1, 0));
    __m256i b = _mm256_srli_epi64(a, 32), c = in_all_lanes(rng.counter_high),
            d = in_all_lanes(rng.counter_high >> 32);
    auto low_key = static_cast<uint32_t>(rng.key), high_key = static_cast<uint32_t>(rng.key >> 32);
    for (int round = 0; round < 10; ++round) {
      const __m256i p = _mm256_mul_epu32(a, in_all_lanes(0xD2511F53u)),
                    q = _mm256_mul_epu32(c, in_all_lanes(0xCD9E8D57u));
      a = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(q, 32), b), in_all_lanes(low_key));
      c = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p, 32), d), in_all_lanes(high_key));
      b = q, d = p;
      low_key += 0x9E3779B9u, high_key += 0xBB67AE85u;
    }
    const __m256i all[4] = {a, b, c, d}, lower = _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0);
    for (size_t w = 0; w < 4; ++w)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(words + kNoiseLanes * w + at),
                       _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(all[w], lower)));
  }
}
#endif
inline void noise_words(const Random& random, uint64_t first, uint32_t* words) {
#if defined(__x86_64__)
  static const bool has_vectors = __builtin_cpu_supports("avx2") != 0;
  if (has_vectors) return noise_words_by_four(random, first, words);
#endif
  noise_words_plainly(random, first, words);
}

// ln x for x from 2^-33 to 1: by the exponent, and artanh's series of what is left, 0.7 to 1.42.
PLAIT_INLINE float log_of_share(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x) - 0x3f3504f3u;  // of the root of 1/2
  const auto exponent = static_cast<float>(static_cast<int32_t>(bits) >> 23);
  const float m = __builtin_bit_cast(float, (bits & 0x007fffffu) + 0x3f3504f3u);
  const float s = (m - 1.0f) / (m + 1.0f), square = s * s;
  float p = 1.0f / 11;
  p = p * square + 1.0f / 9;
  p = p * square + 1.0f / 7;
  p = p * square + 1.0f / 5;
  p = p * square + 1.0f / 3;
  p = p * square * s + s;
  return exponent * 0.693147181f + (p + p);
}
// Of x >= 0, to a few units of the last place: Newton's steps for 1 / root x, begun from its bits.
PLAIT_INLINE float root_of(float x) {
  float y = __builtin_bit_cast(float, 0x5f375a86u - (__builtin_bit_cast(uint32_t, x) >> 1));
  y = y * (1.5f - 0.5f * x * y * y);
  y = y * (1.5f - 0.5f * x * y * y);
  y = y * (1.5f - 0.5f * x * y * y);
  return x * y;
}

PLAIT_INLINE void normals_of_half(const uint32_t* words, float* cosines, float* sines) {
  for (size_t i = 0; i < kNoiseLanes; ++i) {
    // Signed numbers of 31 bits, as every instruction set has a conversion of those alone.
    const float share = (static_cast<float>(static_cast<int32_t>(words[i] >> 1)) + 0.5f) * 0x1p-31f;
    const float radius = root_of(-2.0f * log_of_share(share));
    // Quarters of the circle, 0 to 4, and what is left of one, -1/2 to 1/2.
    const float quarters = static_cast<float>(static_cast<int32_t>(words[kNoiseLanes + i] >> 8)) * 0x1p-22f;
    const auto whole = static_cast<int32_t>(quarters + 0.5f);
    const float x = (quarters - static_cast<float>(whole)) * 1.57079633f, square = x * x;
    float sine = 1.0f / 362880;
    sine = sine * square - 1.0f / 5040;
    sine = sine * square + 1.0f / 120;
    sine = sine * square - 1.0f / 6;
    sine = sine * square * x + x;
    float cosine = 1.0f / 40320;
    cosine = cosine * square - 1.0f / 720;
    cosine = cosine * square + 1.0f / 24;
    cosine = cosine * square - 0.5f;
    cosine = cosine * square + 1.0f;
    const bool odd = (whole & 1) != 0, low = (whole & 2) != 0;
    const float first = chosen(odd, cosine, sine), second = chosen(odd, -sine, cosine);
    cosines[i] = radius * chosen(low, -second, second);
    sines[i] = radius * chosen(low, -first, first);
  }
}

// Two normal numbers of two words each, of 32 pairs. Source: Box, Muller 1958.
[[maybe_unused]] PLAIT_FAST static void normals_of(const uint32_t* words, float* to) {
  normals_of_half(words, to, to + kNoiseWords / 2);
  normals_of_half(words + kNoiseWords / 2, to + kNoiseLanes, to + kNoiseWords / 2 + kNoiseLanes);
}

// make(words, to) makes 64 numbers of 64 words.
template <class V, class Make>
void fill_noise(const Random& random, V* to, size_t count, Make make) {
  uint32_t words[kNoiseWords];
  for (size_t at = 0; at < count; at += kNoiseWords) {
    noise_words(random, at / 4, words);
    if (count - at >= kNoiseWords) {
      make(words, to + at);
    } else {
      V rest[kNoiseWords];
      make(words, rest);
      std::copy_n(rest, count - at, to + at);
    }
  }
}

}  // namespace detail

// Mean 0, deviation 1; at most 6.7 either way.
inline void fill_normals(const Random& random, float* to, size_t count) {
  detail::fill_noise(random, to, count, detail::normals_of);
}
// Words of 32 random bits.
inline void fill_words(const Random& random, uint32_t* to, size_t count) {
  detail::fill_noise(random, to, count, [](const uint32_t* words, uint32_t* made) {
    std::copy_n(words, detail::kNoiseWords, made);
  });
}

}  // namespace plait::sdk
