// Loops of bf16_test.cc, for every instruction set.
namespace PLAIT_SIMD {

inline void round_all(const float* from, uint16_t* to, size_t count) {
  each(count, [&](size_t i, size_t n) { store(to + i, load(from + i, n), n); });
}
inline void widen_all(const uint16_t* from, float* to, size_t count) {
  each(count, [&](size_t i, size_t n) { store(to + i, load(from + i, n), n); });
}

// Of whole vectors.
inline void round_full(const float* from, uint16_t* to, size_t count) {
  for (size_t i = 0; i < count; i += kWidth) store(to + i, load(from + i));
}
inline void widen_full(const uint16_t* from, float* to, size_t count) {
  for (size_t i = 0; i < count; i += kWidth) store(to + i, load(from + i));
}

}  // namespace PLAIT_SIMD
