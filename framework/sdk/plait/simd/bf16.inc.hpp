// Vec from and to bf16, whose 16 bits are a uint16_t. Optional: after base.hpp, avx2.hpp and avx512.hpp each,
// before the loops that use it; the source includes <plait/bf16.hpp> first. Rounds as that does, with the
// same bits on every instruction set.
namespace PLAIT_SIMD {

#if defined(__x86_64__) && defined(__AVX512BW__)
inline Vec load(const uint16_t* p, size_t n) {
  const __m512i wide = _mm512_maskz_cvtepu16_epi32(kAll, _mm256_maskz_loadu_epi16(first(n), p));
  return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, wide, 16))};
}
inline void store(uint16_t* p, Vec a, size_t n) {
  const __m512i bits = _mm512_castps_si512(a.v);
  const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(kAll, bits, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __m512i kept = _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q), up, quiet);
  _mm512_mask_cvtepi32_storeu_epi16(p, first(n), _mm512_maskz_srli_epi32(kAll, kept, 16));
}
#else
inline Vec load(const uint16_t* p, size_t n) {
  float wide[kWidth] = {};
  for (size_t i = 0; i < n; ++i) wide[i] = plait::sdk::f32_of_bf16(p[i]);
  return load(wide, kWidth);
}
inline void store(uint16_t* p, Vec a, size_t n) {
  float wide[kWidth];
  store(wide, a, kWidth);
  for (size_t i = 0; i < n; ++i) p[i] = plait::sdk::bf16_of_f32(wide[i]);
}
#endif

}  // namespace PLAIT_SIMD
