// Loops of the layer; see relu.cc.
namespace PLAIT_SIMD {

inline void apply(const Activation& f, const float* x, float* y, size_t count) {
  each(count, [&](size_t i, size_t n) { store(y + i, activate(f, load(x + i, n)), n); });
}

inline void undo(const Activation& f, const float* y, const float* dy, float* dx, size_t count) {
  each(count, [&](size_t i, size_t n) { store(dx + i, mul(load(dy + i, n), slope(f, load(y + i, n))), n); });
}

}  // namespace PLAIT_SIMD
