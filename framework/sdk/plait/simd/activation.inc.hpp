// Loops of ../activation.hpp, for every instruction set.
namespace PLAIT_SIMD {

template <class T>
inline void activate_all(const plait::sdk::Activation& f, const T* x, T* y, size_t count) {
  each(count, [&](size_t i, size_t n) { store(y + i, activate(f, load(x + i, n)), n); });
}

template <class T>
inline void slope_all(const plait::sdk::Activation& f, const T* y, const T* dy, T* dx, size_t count) {
  each(count, [&](size_t i, size_t n) { store(dx + i, mul(load(dy + i, n), slope(f, load(y + i, n))), n); });
}

}  // namespace PLAIT_SIMD
