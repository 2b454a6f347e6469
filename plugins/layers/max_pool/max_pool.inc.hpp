// Loops of max_pool.cc. A place is a tap of the window in row-major order; offsets are in elements.
// T: float, or the 16 bits of bf16.
namespace PLAIT_SIMD {

using plait::sdk::WindowAt;
using plait::sdk::WindowWalk;

inline void store_places(uint8_t* p, Vec places, size_t n) { store_bytes(p, places, n); }
inline void store_places(float* p, Vec places, size_t n) { store(p, places, n); }
inline Vec load_places(const uint8_t* p, size_t n) { return load_bytes(p, n); }
inline Vec load_places(const float* p, size_t n) { return load(p, n); }

// Whether a number is NaN. Infinities of both signs look as if one were.
template <class T>
inline bool may_hold_nan(const T* x, size_t count) {
  Vec sums[4] = {zero(), zero(), zero(), zero()};
  size_t i = 0;
  for (; i + 4 * kWidth <= count; i += 4 * kWidth) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) sums[j] = add(sums[j], load(x + i + j * kWidth, kWidth));
  }
  each(count - i, [&](size_t at, size_t n) { sums[0] = add(sums[0], load(x + i + at, n)); });
  const float all = sum(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
  return all != all;
}

// x is above `than`, or kNan and NaN. Comparing once more for NaN costs a third of the loops.
template <bool kNan>
inline Vec where_larger(Vec x, Vec than, Vec yes, Vec no) {
  return kNan ? where_above_or_nan(x, than, yes, no) : where_above(x, than, yes, no);
}

// Windows that lie inside, `step` elements of input apart, over all channels. kTaps 0: as many as the list has.
template <size_t kTaps>
struct Taps {
  ptrdiff_t at[kTaps ? kTaps
                     : 1];  // a copy: stores of bytes may change what is in memory, for all a compiler knows
  const ptrdiff_t* list;
  size_t many;

  explicit Taps(const WindowWalk& pool) : list(pool.offsets.data()), many(pool.taps) {
    for (size_t tap = 0; tap < kTaps; ++tap) at[tap] = list[tap];
  }
  ptrdiff_t operator[](size_t tap) const { return kTaps ? at[kTaps ? tap : 0] : list[tap]; }
};

template <size_t kTaps, bool kNan, class T, class Place>
PLAIT_INLINE void largest(const Taps<kTaps>& taps, const T* x, T* y, Place* places, size_t n) {
  const size_t count = kTaps ? kTaps : taps.many;
  Vec best = load(x + taps[0], n), place = zero();
#pragma GCC unroll 9
  for (size_t tap = 1; tap < count; ++tap) {
    const Vec value = load(x + taps[tap], n);
    place = where_larger<kNan>(value, best, set(static_cast<float>(tap)), place);
    best = where_larger<kNan>(value, best, value, best);
  }
  store(y, best, n);
  if (places) store_places(places, place, n);
}

template <size_t kTaps, bool kNan, class T, class Place>
inline void pool_run(const WindowWalk& pool, size_t windows, ptrdiff_t step, const T* x, T* y,
                     Place* places) {
  const Taps<kTaps> taps(pool);
  const size_t channels = pool.channels, rest = channels % kWidth, whole = channels - rest;
  for (size_t w = 0; w < windows; ++w, x += step, y += channels) {
    for (size_t c = 0; c < whole; c += kWidth)
      largest<kTaps, kNan>(taps, x + c, y + c, places ? places + c : nullptr, kWidth);
    if (rest > 0) largest<kTaps, kNan>(taps, x + whole, y + whole, places ? places + whole : nullptr, rest);
    if (places) places += channels;
  }
}

// A window that padding cuts: y and places take up one tap after the other. Some tap is always inside, as
// padding is smaller than the kernel.
template <bool kNan, class T, class Place>
inline void pool_cut(const WindowWalk& pool, const WindowAt& w, const T* x, T* y, Place* places) {
  bool any = false;
  pool.each_tap_inside(w, [&](size_t tap) {
    const T* const from = x + pool.offsets[tap];
    const Vec here = set(static_cast<float>(tap));
    each(pool.channels, [&](size_t c, size_t n) {
      const Vec value = load(from + c, n), best = any ? load(y + c, n) : value;
      store(y + c, where_larger<kNan>(value, best, value, best), n);
      if (places)
        store_places(places + c,
                     any ? where_larger<kNan>(value, best, here, load_places(places + c, n)) : here, n);
    });
    any = true;
  });
}

template <bool kNan, class T, class Place>
inline void pool_windows(const WindowWalk& pool, const T* x, T* y, Place* places) {
  pool.each_run([&](const WindowAt& w, size_t windows, ptrdiff_t step) {
    const T* const from = x + w.origin;
    T* const to = y + w.output;
    Place* const place = places ? places + w.output : nullptr;
    if (!w.inside) return pool_cut<kNan>(pool, w, from, to, place);
    if (pool.taps == 4) return pool_run<4, kNan>(pool, windows, step, from, to, place);
    if (pool.taps == 9) return pool_run<9, kNan>(pool, windows, step, from, to, place);
    pool_run<0, kNan>(pool, windows, step, from, to, place);
  });
}

template <class T, class Place>
inline void pool_sample(const WindowWalk& pool, const T* x, T* y, Place* places) {
  may_hold_nan(x, pool.sample_inputs) ? pool_windows<true>(pool, x, y, places)
                                      : pool_windows<false>(pool, x, y, places);
}

// Windows that do not share input write it, the others add to it.
template <size_t kTaps, bool kAdd, class T, class Place>
PLAIT_INLINE void give(const Taps<kTaps>& taps, const T* dy, const Place* places, T* dx, size_t n) {
  const size_t count = kTaps ? kTaps : taps.many;
  const Vec gradient = load(dy, n), place = load_places(places, n);
#pragma GCC unroll 9
  for (size_t tap = 0; tap < count; ++tap) {
    const Vec share = where_equal(place, set(static_cast<float>(tap)), gradient, zero());
    T* const to = dx + taps[tap];
    store(to, kAdd ? add(load(to, n), share) : share, n);
  }
}

template <size_t kTaps, bool kAdd, class T, class Place>
inline void give_run(const WindowWalk& pool, size_t windows, ptrdiff_t step, const T* dy,
                     const Place* places, T* dx) {
  const Taps<kTaps> taps(pool);
  const size_t channels = pool.channels, rest = channels % kWidth, whole = channels - rest;
  for (size_t w = 0; w < windows; ++w, dx += step, dy += channels, places += channels) {
    for (size_t c = 0; c < whole; c += kWidth) give<kTaps, kAdd>(taps, dy + c, places + c, dx + c, kWidth);
    if (rest > 0) give<kTaps, kAdd>(taps, dy + whole, places + whole, dx + whole, rest);
  }
}

template <class T, class Place>
inline void give_cut(const WindowWalk& pool, const WindowAt& w, const T* dy, const Place* places,
                     T* dx) {
  pool.each_tap_inside(w, [&](size_t tap) {
    T* const to = dx + pool.offsets[tap];
    const Vec here = set(static_cast<float>(tap));
    each(pool.channels, [&](size_t c, size_t n) {
      const Vec share = where_equal(load_places(places + c, n), here, load(dy + c, n), zero());
      store(to + c, add(load(to + c, n), share), n);
    });
  });
}

template <class T, class Place>
inline void unpool_sample(const WindowWalk& pool, const T* dy, const Place* places, T* dx,
                          bool accumulate) {
  if (!accumulate && !pool.tiles) std::memset(dx, 0, pool.sample_inputs * sizeof(T));
  const bool write = !accumulate && pool.disjoint;
  pool.each_run([&](const WindowAt& w, size_t windows, ptrdiff_t step) {
    const T* const from = dy + w.output;
    const Place* const place = places + w.output;
    T* const to = dx + w.origin;
    if (!w.inside) return give_cut(pool, w, from, place, to);
    if (write && pool.taps == 4) return give_run<4, false>(pool, windows, step, from, place, to);
    if (write) return give_run<0, false>(pool, windows, step, from, place, to);
    if (pool.taps == 9) return give_run<9, true>(pool, windows, step, from, place, to);
    give_run<0, true>(pool, windows, step, from, place, to);
  });
}

}  // namespace PLAIT_SIMD
