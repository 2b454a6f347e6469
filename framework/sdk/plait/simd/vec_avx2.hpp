// Vec for AVX2 with FMA: eight lanes. See ../simd.hpp.
namespace PLAIT_SIMD {

constexpr size_t kWidth = 8, kRegisters = 16;

struct Vec {
  __m256 v;
};

inline __m256i first(size_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < kWidth ? static_cast<int>(n) : 8), lane);
}

inline Vec zero() { return {_mm256_setzero_ps()}; }
inline Vec set(float a) { return {_mm256_set1_ps(a)}; }
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline Vec load(const float* p, size_t n) { return {_mm256_maskload_ps(p, first(n))}; }
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline void store(float* p, Vec a, size_t n) { _mm256_maskstore_ps(p, first(n), a.v); }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec add(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec sub(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec mul(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec div(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec where_above(Vec x, Vec limit, Vec yes, Vec no) {
  return {_mm256_blendv_ps(no.v, yes.v, _mm256_cmp_ps(x.v, limit.v, _CMP_GT_OQ))};
}
inline Vec where_above_or_nan(Vec x, Vec limit, Vec yes, Vec no) {
  const __m256 above = _mm256_cmp_ps(x.v, limit.v, _CMP_GT_OQ), nan = _mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q);
  return {_mm256_blendv_ps(no.v, yes.v, _mm256_or_ps(above, nan))};
}
inline Vec where_equal(Vec x, Vec other, Vec yes, Vec no) {
  return {_mm256_blendv_ps(no.v, yes.v, _mm256_cmp_ps(x.v, other.v, _CMP_EQ_OQ))};
}
inline void store_bytes(uint8_t* p, Vec a, size_t n) {
  const __m256i whole = _mm256_cvtps_epi32(a.v);
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  const __m128i bytes = _mm_packus_epi16(words, words);
  if (n >= kWidth) return _mm_storel_epi64(reinterpret_cast<__m128i*>(p), bytes);
  uint8_t lanes[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), bytes);
  std::memcpy(p, lanes, n);
}
inline Vec load_bytes(const uint8_t* p, size_t n) {
  uint8_t lanes[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  std::memcpy(lanes, p, n < kWidth ? n : kWidth);
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lanes));
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))};
}
inline float sum(Vec a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline Vec exp2_whole(Vec a) {
  const __m256i bits = _mm256_add_epi32(_mm256_cvtps_epi32(a.v), _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(bits, 23))};
}
inline Vec round_whole(Vec a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline void transpose4(Vec& a, Vec& b, Vec& c, Vec& d) {
  const __m256 ab_low = _mm256_unpacklo_ps(a.v, b.v), ab_high = _mm256_unpackhi_ps(a.v, b.v);
  const __m256 cd_low = _mm256_unpacklo_ps(c.v, d.v), cd_high = _mm256_unpackhi_ps(c.v, d.v);
  a.v = _mm256_shuffle_ps(ab_low, cd_low, 0x44);
  b.v = _mm256_shuffle_ps(ab_low, cd_low, 0xEE);
  c.v = _mm256_shuffle_ps(ab_high, cd_high, 0x44);
  d.v = _mm256_shuffle_ps(ab_high, cd_high, 0xEE);
}
inline Vec load_fours(const float* p, size_t stride) {
  return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1)};
}
// Four floats of place `part` of kWidth / 4.
inline void store_four(float* p, Vec a, size_t part) {
  _mm_storeu_ps(p, part == 0 ? _mm256_castps256_ps128(a.v) : _mm256_extractf128_ps(a.v, 1));
}

}  // namespace PLAIT_SIMD
#include "vec_common.hpp"
