// Loops of average_pool.cc.
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

inline void average_sample(const WindowWalk& walk, bool include_padding, const float* x, float* y) {
  walk.each_window([&](const WindowAt& w) {
    each(walk.channels, [&](size_t c, size_t n) {
      const float* const from = x + w.origin + static_cast<ptrdiff_t>(c);
      Vec sum = zero();
      const Vec factor = each_input(walk, w, include_padding,
                                    [&](size_t tap) { sum = add(sum, load(from + walk.offsets[tap], n)); });
      store(y + w.output + c, mul(sum, factor), n);
    });
  });
}

inline void spread_sample(const WindowWalk& walk, bool include_padding, const float* dy, float* dx,
                          bool accumulate) {
  if (!accumulate) std::memset(dx, 0, walk.sample_inputs * sizeof(float));
  walk.each_window([&](const WindowAt& w) {
    const Vec factor = each_input(walk, w, include_padding, [](size_t) {});
    each(walk.channels, [&](size_t c, size_t n) {
      const Vec share = mul(load(dy + w.output + c, n), factor);
      float* const to = dx + w.origin + static_cast<ptrdiff_t>(c);
      each_input(walk, w, include_padding, [&](size_t tap) {
        store(to + walk.offsets[tap], add(load(to + walk.offsets[tap], n), share), n);
      });
    });
  });
}

}  // namespace PLAIT_SIMD
