#include "base/sha256_blocks.h"

#include <bit>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace plait::inline base::sha256 {

namespace {

// Section 4.2.2.
alignas(16) const uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Of each of the functions below, compiled for its instruction set.
#define PLAIT_SHA256_INLINE __attribute__((always_inline)) inline

// Section 6.2.2, step 1, kept as a ring of the last sixteen words.
struct Schedule {
  uint32_t words[16];

  PLAIT_SHA256_INLINE explicit Schedule(const uint8_t* block) {
    for (int i = 0; i < 16; ++i, block += 4) {
      words[i] = uint32_t{block[0]} << 24 | uint32_t{block[1]} << 16 | uint32_t{block[2]} << 8 | block[3];
    }
  }
  PLAIT_SHA256_INLINE uint32_t word(int round) {
    uint32_t& word = words[round & 15];
    if (round < 16) return word;
    const uint32_t before_2 = words[(round - 2) & 15], before_15 = words[(round - 15) & 15];
    const uint32_t s0 = std::rotr(before_15, 7) ^ std::rotr(before_15, 18) ^ (before_15 >> 3);
    const uint32_t s1 = std::rotr(before_2, 17) ^ std::rotr(before_2, 19) ^ (before_2 >> 10);
    return word += s0 + words[(round - 7) & 15] + s1;
  }
};

// Section 6.2.2, steps 2 to 4.
PLAIT_SHA256_INLINE void compress_block(uint32_t* state, const uint8_t* block) {
  Schedule schedule(block);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  // Unrolled, the eight only change their names, and words have fixed places.
#pragma GCC unroll 64
  for (int round = 0; round < 64; ++round) {
    const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
    const uint32_t t1 = h + s1 + choice + kRound[round] + schedule.word(round);
    const uint32_t t2 = s0 + majority;
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const uint32_t sum[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state[i] += sum[i];
}

}  // namespace

void compress_portable(uint32_t* state, const uint8_t* blocks, size_t n_blocks) {
  for (; n_blocks > 0; --n_blocks, blocks += 64) compress_block(state, blocks);
}

#if defined(__x86_64__)

bool has_bit_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_BMI) != 0 && (b & bit_BMI2) != 0;
}

__attribute__((target("bmi,bmi2"))) void compress_with_bit_instructions(uint32_t* state,
                                                                        const uint8_t* blocks,
                                                                        size_t n_blocks) {
  for (; n_blocks > 0; --n_blocks, blocks += 64) compress_block(state, blocks);
}

bool has_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & (1u << 29)) != 0;
}

// The instructions keep the state as (a b e f) and (c d g h), highest word first, and do two rounds each.
__attribute__((target("sha,sse4.1,ssse3"))) void compress_instructions(uint32_t* state, const uint8_t* blocks,
                                                                       size_t n_blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(state)), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(state + 4)), 0x1b);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
  for (; n_blocks > 0; --n_blocks, blocks += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i words[4];
    for (int i = 0; i < 4; ++i) {
      const auto* at = reinterpret_cast<const __m128i*>(blocks + 16 * i);
      words[i] = _mm_shuffle_epi8(_mm_loadu_si128(at), big_endian);
    }
#pragma GCC unroll 16
    for (int four = 0; four < 16; ++four) {
      __m128i& now = words[four & 3];
      const __m128i next = words[(four + 1) & 3], last = words[(four + 3) & 3];
      if (four >= 4) {
        const __m128i before_7 = _mm_alignr_epi8(last, words[(four + 2) & 3], 4);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, next), before_7), last);
      }
      const auto* constants = reinterpret_cast<const __m128i*>(kRound + 4 * four);
      const __m128i keyed = _mm_add_epi32(now, _mm_load_si128(constants));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keyed, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool has_bit_instructions() { return false; }
void compress_with_bit_instructions(uint32_t* state, const uint8_t* blocks, size_t n_blocks) {
  compress_portable(state, blocks, n_blocks);
}
bool has_instructions() { return false; }
void compress_instructions(uint32_t* state, const uint8_t* blocks, size_t n_blocks) {
  compress_portable(state, blocks, n_blocks);
}

#endif

}  // namespace plait::inline base::sha256
