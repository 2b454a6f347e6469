// Vec for AVX-512: sixteen lanes. See ../simd.hpp.
// Forms with a full mask (kAll) are where g++ 12 warns of its own undefined operand in the form without.
namespace PLAIT_SIMD {

constexpr size_t kWidth = 16, kRegisters = 32;

struct Vec {
  __m512 v;
};

constexpr __mmask16 kAll = 0xFFFF;

inline __mmask16 first(size_t n) { return static_cast<__mmask16>(n < kWidth ? (1u << n) - 1u : 0xFFFFu); }

inline Vec zero() { return {_mm512_setzero_ps()}; }
inline Vec set(float a) { return {_mm512_set1_ps(a)}; }
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Vec load(const float* p, size_t n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void store(float* p, Vec a, size_t n) { _mm512_mask_storeu_ps(p, first(n), a.v); }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec add(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec sub(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec mul(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec div(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_maskz_max_ps(kAll, a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_maskz_min_ps(kAll, a.v, b.v)}; }
inline Vec where_above(Vec x, Vec limit, Vec yes, Vec no) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, limit.v, _CMP_GT_OQ), no.v, yes.v)};
}
inline Vec where_above_or_nan(Vec x, Vec limit, Vec yes, Vec no) {
  const __mmask16 above = _mm512_cmp_ps_mask(x.v, limit.v, _CMP_GT_OQ),
                  nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
  return {_mm512_mask_blend_ps(static_cast<__mmask16>(above | nan), no.v, yes.v)};
}
inline Vec where_equal(Vec x, Vec other, Vec yes, Vec no) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, other.v, _CMP_EQ_OQ), no.v, yes.v)};
}
inline void store_bytes(uint8_t* p, Vec a, size_t n) {
  _mm512_mask_cvtepi32_storeu_epi8(p, first(n), _mm512_maskz_cvtps_epi32(kAll, a.v));
}
inline Vec load_bytes(const uint8_t* p, size_t n) {
  const __m512i whole = _mm512_maskz_cvtepu8_epi32(kAll, _mm_maskz_loadu_epi8(first(n), p));
  return {_mm512_maskz_cvtepi32_ps(kAll, whole)};
}
inline float sum(Vec a) {
  const __m256 eight =
      _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xFF, a.v, 0), _mm512_maskz_extractf32x8_ps(0xFF, a.v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline Vec exp2_whole(Vec a) {
  const __m512i bits = _mm512_add_epi32(_mm512_maskz_cvtps_epi32(kAll, a.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, bits, 23))};
}
inline Vec round_whole(Vec a) {
  return {_mm512_maskz_roundscale_ps(kAll, a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline void transpose4(Vec& a, Vec& b, Vec& c, Vec& d) {
  const __m512 ab_low = _mm512_maskz_unpacklo_ps(kAll, a.v, b.v),
               ab_high = _mm512_maskz_unpackhi_ps(kAll, a.v, b.v);
  const __m512 cd_low = _mm512_maskz_unpacklo_ps(kAll, c.v, d.v),
               cd_high = _mm512_maskz_unpackhi_ps(kAll, c.v, d.v);
  a.v = _mm512_maskz_shuffle_ps(kAll, ab_low, cd_low, 0x44);
  b.v = _mm512_maskz_shuffle_ps(kAll, ab_low, cd_low, 0xEE);
  c.v = _mm512_maskz_shuffle_ps(kAll, ab_high, cd_high, 0x44);
  d.v = _mm512_maskz_shuffle_ps(kAll, ab_high, cd_high, 0xEE);
}
inline Vec load_fours(const float* p, size_t stride) {
  __m512 a = _mm512_castps128_ps512(_mm_loadu_ps(p));
  a = _mm512_insertf32x4(a, _mm_loadu_ps(p + stride), 1);
  a = _mm512_insertf32x4(a, _mm_loadu_ps(p + 2 * stride), 2);
  return {_mm512_insertf32x4(a, _mm_loadu_ps(p + 3 * stride), 3)};
}
inline void store_four(float* p, Vec a, size_t part) {
  if (part == 0) return _mm_storeu_ps(p, _mm512_maskz_extractf32x4_ps(0xF, a.v, 0));
  if (part == 1) return _mm_storeu_ps(p, _mm512_maskz_extractf32x4_ps(0xF, a.v, 1));
  if (part == 2) return _mm_storeu_ps(p, _mm512_maskz_extractf32x4_ps(0xF, a.v, 2));
  _mm_storeu_ps(p, _mm512_maskz_extractf32x4_ps(0xF, a.v, 3));
}

}  // namespace PLAIT_SIMD
#include "vec_common.hpp"
