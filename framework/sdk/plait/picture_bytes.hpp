// Pixels of three bytes as three rows of bytes, and back: loops that compilers do not make of plain ones.
// Optional; sdk.hpp does not include it. Threads: [any]
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace plait::sdk {

using ByteTable = std::array<uint8_t, 256>;

namespace detail {

#if defined(__x86_64__)
#define PLAIT_SHUFFLES __attribute__((target("ssse3")))

inline bool shuffles_bytes() {
  static const bool yes = __builtin_cpu_supports("ssse3") != 0;
  return yes;
}

// Where each byte of one vector of 16 goes or comes from; 128 writes 0.
struct Shuffle {
  alignas(16) uint8_t of[3][3][16];
};
// of[c][v]: which bytes of vector v of 48 are channel c of 16 pixels.
constexpr Shuffle kSplit = [] {
  Shuffle made{};
  for (size_t c = 0; c < 3; ++c)
    for (size_t v = 0; v < 3; ++v)
      for (size_t k = 0; k < 16; ++k) {
        const size_t from = 3 * k + c;
        made.of[c][v][k] = static_cast<uint8_t>(from / 16 == v ? from % 16 : 128);
      }
  return made;
}();
// of[v][c]: which pixels of channel c are bytes of vector v.
constexpr Shuffle kJoin = [] {
  Shuffle made{};
  for (size_t v = 0; v < 3; ++v)
    for (size_t c = 0; c < 3; ++c)
      for (size_t k = 0; k < 16; ++k) {
        const size_t at = 16 * v + k;
        made.of[v][c][k] = static_cast<uint8_t>(at % 3 == c ? at / 3 : 128);
      }
  return made;
}();

[[maybe_unused]] PLAIT_SHUFFLES static __m128i gathered(const uint8_t (*of)[16], __m128i a, __m128i b,
                                                        __m128i c) {
  const auto* const by = reinterpret_cast<const __m128i*>(of);
  return _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, by[0]), _mm_shuffle_epi8(b, by[1])),
                      _mm_shuffle_epi8(c, by[2]));
}
PLAIT_SHUFFLES inline __m128i sixteen(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
PLAIT_SHUFFLES inline void put_sixteen(uint8_t* to, __m128i bytes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
}
[[maybe_unused]] PLAIT_SHUFFLES static size_t split_sixteens(const uint8_t* x, size_t pixels, uint8_t* red,
                                                             uint8_t* green, uint8_t* blue) {
  size_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const __m128i a = sixteen(x + 3 * i), b = sixteen(x + 3 * i + 16), c = sixteen(x + 3 * i + 32);
    put_sixteen(red + i, gathered(kSplit.of[0], a, b, c));
    put_sixteen(green + i, gathered(kSplit.of[1], a, b, c));
    put_sixteen(blue + i, gathered(kSplit.of[2], a, b, c));
  }
  return i;
}
[[maybe_unused]] PLAIT_SHUFFLES static size_t join_sixteens(const uint8_t* red, const uint8_t* green,
                                                            const uint8_t* blue, size_t pixels, uint8_t* y) {
  size_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const __m128i r = sixteen(red + i), g = sixteen(green + i), b = sixteen(blue + i);
    for (size_t v = 0; v < 3; ++v) put_sixteen(y + 3 * i + 16 * v, gathered(kJoin.of[v], r, g, b));
  }
  return i;
}
#undef PLAIT_SHUFFLES
#else
inline bool shuffles_bytes() { return false; }
inline size_t split_sixteens(const uint8_t*, size_t, uint8_t*, uint8_t*, uint8_t*) { return 0; }
inline size_t join_sixteens(const uint8_t*, const uint8_t*, const uint8_t*, size_t, uint8_t*) { return 0; }
#endif

}  // namespace detail

inline void split_colors(const uint8_t* x, size_t pixels, uint8_t* red, uint8_t* green, uint8_t* blue) {
  size_t i = detail::shuffles_bytes() ? detail::split_sixteens(x, pixels, red, green, blue) : 0;
  for (; i < pixels; ++i) red[i] = x[3 * i], green[i] = x[3 * i + 1], blue[i] = x[3 * i + 2];
}

inline void join_colors(const uint8_t* red, const uint8_t* green, const uint8_t* blue, size_t pixels,
                        uint8_t* y) {
  size_t i = detail::shuffles_bytes() ? detail::join_sixteens(red, green, blue, pixels, y) : 0;
  for (; i < pixels; ++i) y[3 * i] = red[i], y[3 * i + 1] = green[i], y[3 * i + 2] = blue[i];
}

}  // namespace plait::sdk
