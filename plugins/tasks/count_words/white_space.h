// Words of a text: what lies between white space, which is ASCII's: space, \t, \n, \v, \f, \r.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plait::count_words {

// Bit i: byte i is white space.
#if defined(__SSE2__)
inline uint32_t white_space_of_16(const char* text) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i is_space = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
  // \t .. \r are 9 .. 13: as unsigned bytes, those that are at most 4 above \t.
  const __m128i above_tab = _mm_sub_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(above_tab, _mm_set1_epi8(4)), above_tab);
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(is_space, is_control)));
}
#else
inline uint32_t white_space_of_16(const char* text) {
  uint32_t mask = 0;
  for (int i = 0; i < 16; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    mask |= static_cast<uint32_t>(byte == ' ' || (byte >= '\t' && byte <= '\r')) << i;
  }
  return mask;
}
#endif

// The same of up to 64 bytes; those past the end are white space.
inline uint64_t white_space(const char* text, size_t size) {
  uint64_t mask = 0;
  size_t at = 0;
  for (; at + 16 <= size && at < 64; at += 16) mask |= uint64_t{white_space_of_16(text + at)} << at;
  if (at == 64) return mask;
  char rest[16];
  std::memset(rest, ' ', sizeof rest);
  std::memcpy(rest, text + at, size - at);
  mask |= uint64_t{white_space_of_16(rest)} << at;
  return at + 16 < 64 ? mask | ~uint64_t{0} << (at + 16) : mask;
}

// body(word) for each word of the text, in order; words lie in the text.
template <class Body>
void each_word(std::string_view text, Body&& body) {
  const char* const bytes = text.data();
  size_t begin = 0;       // of the word that is open
  uint64_t was_word = 0;  // 1: a word is open
  for (size_t at = 0; at < text.size(); at += 64) {
    const uint64_t word = ~white_space(bytes + at, text.size() - at);
    // A bit where words begin and where they have ended, in turns.
    uint64_t edges = word ^ (word << 1 | was_word);
    const auto next_edge = [&] {
      const size_t place = at + static_cast<size_t>(std::countr_zero(edges));
      edges &= edges - 1;
      return place;
    };
    if (was_word && edges) body(std::string_view(bytes + begin, next_edge() - begin));
    while (edges) {
      begin = next_edge();
      if (!edges) break;  // goes on in the next 64 bytes
      body(std::string_view(bytes + begin, next_edge() - begin));
    }
    was_word = word >> 63;
  }
  if (was_word) body(text.substr(begin));
}

}  // namespace plait::count_words
