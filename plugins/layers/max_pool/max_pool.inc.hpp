// Loops of max_pool.cc. A place is a tap of the window in row-major order; offsets are in elements.
// T: float, or the 16 bits of bf16.
namespace PLAIT_SIMD {

using plait::sdk::WindowAt;
using plait::sdk::WindowWalk;

inline void store_places(uint8_t* p, Vec places, size_t n) { store_bytes(p, places, n); }
inline void store_places(float* p, Vec places, size_t n) { store(p, places, n); }
inline Vec load_places(const uint8_t* p, size_t n) { return load_bytes(p, n); }
inline Vec load_places(const float* p, size_t n) { return load(p, n); }

// One window over n channels. kTaps 0: as many as the list has.
template <size_t kTaps, class T, class Place>
inline void largest(const WindowWalk& pool, const T* x, T* y, Place* places, size_t n) {
  const size_t taps = kTaps ? kTaps : pool.taps;
  Vec best = load(x + pool.offsets[0], n), place = zero();
#pragma GCC unroll 9
  for (size_t tap = 1; tap < taps; ++tap) {
    const Vec value = load(x + pool.offsets[tap], n);
    place = where_above_or_nan(value, best, set(static_cast<float>(tap)), place);
    best = where_above_or_nan(value, best, value, best);
  }
  store(y, best, n);
  if (places) store_places(places, place, n);
}

// One window that padding cuts. Some tap is always inside, as padding is smaller than the kernel.
template <class T, class Place>
inline void largest_inside(const WindowWalk& pool, const WindowAt& w, const T* x, T* y, Place* places,
                           size_t n) {
  Vec best = set(-HUGE_VALF), place = zero();
  bool any = false;
  pool.each_tap_inside(w, [&](size_t tap) {
    const Vec value = load(x + pool.offsets[tap], n), here = set(static_cast<float>(tap));
    place = any ? where_above_or_nan(value, best, here, place) : here;
    best = any ? where_above_or_nan(value, best, value, best) : value;
    any = true;
  });
  store(y, best, n);
  if (places) store_places(places, place, n);
}

template <class T, class Place>
inline void pool_sample(const WindowWalk& pool, const T* x, T* y, Place* places) {
  pool.each_window([&](const WindowAt& w) {
    for (size_t c = 0; c < pool.channels; c += kWidth) {
      const size_t n = pool.channels - c < kWidth ? pool.channels - c : kWidth;
      T* const to = y + w.output + c;
      Place* const place = places ? places + w.output + c : nullptr;
      if (!w.inside) {
        largest_inside(pool, w, x + w.origin + static_cast<ptrdiff_t>(c), to, place, n);
      } else if (pool.taps == 4) {
        largest<4>(pool, x + w.origin + c, to, place, n);
      } else if (pool.taps == 9) {
        largest<9>(pool, x + w.origin + c, to, place, n);
      } else {
        largest<0>(pool, x + w.origin + c, to, place, n);
      }
    }
  });
}

// Windows that do not share input write it, the others add to it.
template <size_t kTaps, bool kAdd, class T, class Place>
inline void give(const WindowWalk& pool, const T* dy, const Place* places, T* dx, size_t n) {
  const size_t taps = kTaps ? kTaps : pool.taps;
  const Vec gradient = load(dy, n), place = load_places(places, n);
#pragma GCC unroll 9
  for (size_t tap = 0; tap < taps; ++tap) {
    const Vec share = where_equal(place, set(static_cast<float>(tap)), gradient, zero());
    T* const to = dx + pool.offsets[tap];
    store(to, kAdd ? add(load(to, n), share) : share, n);
  }
}

inline void add_to(float& to, float share) { to += share; }
inline void add_to(uint16_t& to, uint16_t share) {
  to = plait::sdk::bf16_of_f32(plait::sdk::f32_of_bf16(to) + plait::sdk::f32_of_bf16(share));
}

template <class T, class Place>
inline void unpool_sample(const WindowWalk& pool, const T* dy, const Place* places, T* dx, bool accumulate) {
  if (!accumulate && !pool.tiles) std::memset(dx, 0, pool.sample_inputs * sizeof(T));
  const bool write = !accumulate && pool.disjoint;
  pool.each_window([&](const WindowAt& w) {
    for (size_t c = 0; c < pool.channels; c += kWidth) {
      const size_t n = pool.channels - c < kWidth ? pool.channels - c : kWidth;
      const T* const from = dy + w.output + c;
      const Place* const place = places + w.output + c;
      T* const to = dx + w.origin + static_cast<ptrdiff_t>(c);
      if (!w.inside) {
        for (size_t i = 0; i < n; ++i)
          add_to(to[pool.offsets[static_cast<size_t>(place[i])] + static_cast<ptrdiff_t>(i)], from[i]);
      } else if (write && pool.taps == 4) {
        give<4, false>(pool, from, place, to, n);
      } else if (write) {
        give<0, false>(pool, from, place, to, n);
      } else {
        give<0, true>(pool, from, place, to, n);
      }
    }
  });
}

}  // namespace PLAIT_SIMD
