// Loops of average_pool.cc. T: float, or the 16 bits of bf16.
namespace PLAIT_SIMD {

using plait::sdk::WindowAt;
using plait::sdk::WindowWalk;

// body(tap) for the taps of a window that are inputs; the factor that makes a mean of their sum.
template <class Body>
inline Vec each_input(const WindowWalk& walk, const WindowAt& w, bool include_padding, const Body& body) {
  size_t count = 0;
  if (w.inside) {
    for (; count < walk.taps; ++count) body(count);
  } else {
    walk.each_tap_inside(w, [&](size_t tap) { body(tap), ++count; });
  }
  return set(1.0f / static_cast<float>(include_padding ? walk.taps : count));
}

template <class T>
inline void average_sample(const WindowWalk& walk, bool include_padding, const T* x, T* y) {
  walk.each_window([&](const WindowAt& w) {
    each(walk.channels, [&](size_t c, size_t n) {
      const T* const from = x + w.origin + static_cast<ptrdiff_t>(c);
      Vec sum = zero();
      const Vec factor = each_input(walk, w, include_padding,
                                    [&](size_t tap) { sum = add(sum, load(from + walk.offsets[tap], n)); });
      store(y + w.output + c, mul(sum, factor), n);
    });
  });
}

template <class T>
inline void spread_sample(const WindowWalk& walk, bool include_padding, const T* dy, T* dx, bool accumulate) {
  if (!accumulate) std::memset(dx, 0, walk.sample_inputs * sizeof(T));
  walk.each_window([&](const WindowAt& w) {
    const Vec factor = each_input(walk, w, include_padding, [](size_t) {});
    each(walk.channels, [&](size_t c, size_t n) {
      const Vec share = mul(load(dy + w.output + c, n), factor);
      T* const to = dx + w.origin + static_cast<ptrdiff_t>(c);
      each_input(walk, w, include_padding, [&](size_t tap) {
        store(to + walk.offsets[tap], add(load(to + walk.offsets[tap], n), share), n);
      });
    });
  });
}

}  // namespace PLAIT_SIMD
