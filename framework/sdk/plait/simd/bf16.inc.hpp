// Vec from and to bf16, whose 16 bits are a uint16_t: all lanes or the first n. Optional: after base.hpp,
// avx2.hpp and avx512.hpp each, before the loops that use it; the source includes <plait/bf16.hpp> first.
// Rounds as that does, with the same bits on every instruction set.

// The set by the name of its namespace: g++ reads a whole source before a pragma of it defines __AVX512BW__.
#define PLAIT_BF16_LANES_simd_avx512 16
#define PLAIT_BF16_LANES_OF(set) PLAIT_BF16_LANES_##set
#define PLAIT_BF16_LANES(set) PLAIT_BF16_LANES_OF(set)

namespace PLAIT_SIMD {

#if defined(__x86_64__) && PLAIT_BF16_LANES(PLAIT_SIMD) == 16
inline Vec widened(__m256i halves) {
  const __m512i wide = _mm512_maskz_cvtepu16_epi32(kAll, halves);
  return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, wide, 16))};
}
// The rounded halves, each the upper one of its lane.
inline __m512i rounded(Vec a) {
  const __m512i bits = _mm512_castps_si512(a.v);
  const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(kAll, bits, 16), _mm512_set1_epi32(1));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __m512i up = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF));
  return _mm512_mask_add_epi32(quiet, _mm512_cmp_ps_mask(a.v, a.v, _CMP_ORD_Q), up, odd);
}
inline Vec load(const uint16_t* p) {
  return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Vec load(const uint16_t* p, size_t n) { return widened(_mm256_maskz_loadu_epi16(first(n), p)); }
inline void store(uint16_t* p, Vec a) {
  const __m256i halves = _mm512_maskz_cvtepi32_epi16(kAll, _mm512_maskz_srli_epi32(kAll, rounded(a), 16));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), halves);
}
inline void store(uint16_t* p, Vec a, size_t n) {
  _mm512_mask_cvtepi32_storeu_epi16(p, first(n), _mm512_maskz_srli_epi32(kAll, rounded(a), 16));
}
#else
static_assert(kWidth < 16, "sixteen lanes at a time are converted by vectors");
inline Vec load(const uint16_t* p, size_t n) {
  float wide[kWidth] = {};
  for (size_t i = 0; i < n; ++i) wide[i] = plait::sdk::f32_of_bf16(p[i]);
  return load(wide, kWidth);
}
inline Vec load(const uint16_t* p) { return load(p, kWidth); }
inline void store(uint16_t* p, Vec a, size_t n) {
  float wide[kWidth];
  store(wide, a, kWidth);
  for (size_t i = 0; i < n; ++i) p[i] = plait::sdk::bf16_of_f32(wide[i]);
}
inline void store(uint16_t* p, Vec a) { store(p, a, kWidth); }
#endif

}  // namespace PLAIT_SIMD
#undef PLAIT_BF16_LANES
#undef PLAIT_BF16_LANES_OF
#undef PLAIT_BF16_LANES_simd_avx512
