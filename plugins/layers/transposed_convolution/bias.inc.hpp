// A bias a channel, added to pixels and summed over them. Included once for each set of instructions.
namespace PLAIT_SIMD {

// y [pixels, filters] += bias
template <class T>
inline void add_bias(const float* bias, size_t filters, T* y, size_t pixels) {
  if (filters == 1) {
    const Vec b = set(bias[0]);
    return each(pixels, [&](size_t i, size_t n) { store(y + i, add(load(y + i, n), b), n); });
  }
  for (size_t p = 0; p < pixels; ++p, y += filters) {
    each(filters, [&](size_t f, size_t n) { store(y + f, add(load(y + f, n), load(bias + f, n)), n); });
  }
}

// sums[f] = sum over pixels, in their order
template <class T>
inline void sum_bias(const T* dy, size_t filters, size_t pixels, float* sums) {
  each(filters, [&](size_t f, size_t n) {
    Vec total = zero();
    for (size_t p = 0; p < pixels; ++p) total = add(total, load(dy + p * filters + f, n));
    store(sums + f, total, n);
  });
}

}  // namespace PLAIT_SIMD
