// Vec for any processor: four lanes of the compiler's own vectors. See ../simd.hpp.
namespace PLAIT_SIMD {

constexpr size_t kWidth = 4, kRegisters = 16;

struct Vec {
  typedef float Lanes __attribute__((vector_size(16), aligned(16)));
  Lanes v;
};

inline Vec zero() { return {Vec::Lanes{0, 0, 0, 0}}; }
inline Vec set(float a) { return {Vec::Lanes{a, a, a, a}}; }
inline Vec load(const float* p) {
  Vec a;
  std::memcpy(&a.v, p, sizeof a.v);
  return a;
}
inline Vec load(const float* p, size_t n) {
  float lanes[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < 4 && i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
inline void store(float* p, Vec a) { std::memcpy(p, &a.v, sizeof a.v); }
inline void store(float* p, Vec a, size_t n) {
  for (size_t i = 0; i < 4 && i < n; ++i) p[i] = a.v[i];
}
inline Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }
inline Vec add(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec sub(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec mul(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec div(Vec a, Vec b) { return {a.v / b.v}; }
// b where either is NaN, as the processors' instructions have it.
inline Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
inline Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
// yes where x > limit, else no (also where x is NaN).
inline Vec where_above(Vec x, Vec limit, Vec yes, Vec no) { return {x.v > limit.v ? yes.v : no.v}; }
inline Vec where_above_or_nan(Vec x, Vec limit, Vec yes, Vec no) {
  return {(x.v > limit.v) | (x.v != x.v) ? yes.v : no.v};
}
inline Vec where_equal(Vec x, Vec other, Vec yes, Vec no) { return {x.v == other.v ? yes.v : no.v}; }
// Whole numbers 0..255, the first n lanes.
inline void store_bytes(uint8_t* p, Vec a, size_t n) {
  for (size_t i = 0; i < 4 && i < n; ++i) p[i] = static_cast<uint8_t>(a.v[i]);
}
inline Vec load_bytes(const uint8_t* p, size_t n) {
  float lanes[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < 4 && i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
inline float sum(Vec a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
// 2 to the power of a whole number in -126..127.
inline Vec exp2_whole(Vec a) {
  typedef int32_t Bits __attribute__((vector_size(16), aligned(16)));
  const Bits bits = (__builtin_convertvector(a.v, Bits) + 127) << 23;
  Vec r;
  std::memcpy(&r.v, &bits, sizeof r.v);
  return r;
}
// Nearest whole number of |a| < 2^22.
inline Vec round_whole(Vec a) { return {(a.v + 12582912.0f) - 12582912.0f}; }
// Four lanes at a time: row i, lane j becomes row j, lane i.
inline void transpose4(Vec& a, Vec& b, Vec& c, Vec& d) {
  const Vec::Lanes r0 = a.v, r1 = b.v, r2 = c.v, r3 = d.v;
  a.v = Vec::Lanes{r0[0], r1[0], r2[0], r3[0]};
  b.v = Vec::Lanes{r0[1], r1[1], r2[1], r3[1]};
  c.v = Vec::Lanes{r0[2], r1[2], r2[2], r3[2]};
  d.v = Vec::Lanes{r0[3], r1[3], r2[3], r3[3]};
}
// Four floats from each of kWidth / 4 places, `stride` apart; and back.
inline Vec load_fours(const float* p, size_t) { return load(p); }
inline void store_four(float* p, Vec a, size_t) { store(p, a); }

}  // namespace PLAIT_SIMD
#include "vec_common.hpp"
