#include "cluster/exact_kernels.h"

#include <bit>
#include <cstring>
#include <limits>

#include "cluster/exact_loops.h"

// Loops are vectorized whatever the build's level of optimization. Without trapping maths rint needs no
// guard.
#pragma GCC optimize("O3", "no-trapping-math", "no-math-errno")

namespace plait::inline cluster {
namespace {

#define PLAIT_LOOP [[gnu::always_inline]] inline

// std::bit_cast is a function: in loops of another instruction set it is called, not inlined.

PLAIT_LOOP uint32_t magnitude_loop(const float* x, size_t n) {
  int32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t bits = __builtin_bit_cast(int32_t, x[i]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  return static_cast<uint32_t>(largest);
}

// The magnitude bits of the smallest normal number, and what a window is in them.
constexpr int32_t kNormal = 1 << 23, kStep = kWindowBits << 23;

// Loops that mix bytes with wider types are vectorized badly: blocks go by way of an array of 32 bits.
constexpr size_t kBlock = 256;

// Windows begin at 1, so that the scale below is a number; x fits window t where |x| <= 2^23 u_t.
PLAIT_LOOP uint8_t window_of(uint32_t magnitude) {
  const uint32_t t = ((magnitude + (kWindowBits - 1) * kNormal - 1) >> 23) / kWindowBits;
  return static_cast<uint8_t>(t > 1 ? t : 1);
}

template <class Integer>
PLAIT_LOOP void raise_loop(Integer* __restrict high, Integer* __restrict low, uint8_t* __restrict window,
                           const uint8_t* __restrict wanted, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const int rise = wanted[i] - window[i];
    const Integer kept_high = rise == 0 ? high[i] : 0;
    const Integer kept_low = rise == 0 ? low[i] : rise == 1 ? high[i] : 0;
    high[i] = kept_high;
    low[i] = kept_low;
    window[i] = wanted[i];
  }
}

// edge [n]: of each window in the bits of a magnitude. Returns whether some x does not fit its window.
PLAIT_LOOP bool find_edges(const uint8_t* __restrict window, const float* __restrict x, size_t n,
                           int32_t* __restrict edge) {
  for (size_t i = 0; i < n; ++i) edge[i] = (window[i] - 1) * kStep;
  int32_t over = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t magnitude = __builtin_bit_cast(int32_t, x[i]) & 0x7fffffff;
    over |= magnitude - (kStep + kNormal) > edge[i] ? 1 : 0;
  }
  return over != 0;
}

// y = x / u_t; high = y rounded, low = (y - high) 2^24 rounded, where y - high is exact. Denormals are left
// out, which some states of the processor take for 0; returns whether there are any.
template <bool kWeighs, class Integer>
PLAIT_LOOP bool add_normal(Integer* __restrict high, Integer* __restrict low, const int32_t* __restrict edge,
                           const float* __restrict x, size_t n, int32_t weight) {
  constexpr int32_t kScaleOfFirst = (127 - kLowestPlace - kWindowBits) << 23;
  int32_t denormals = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t bits = __builtin_bit_cast(int32_t, x[i]), magnitude = bits & 0x7fffffff;
    const int32_t normal = magnitude >= kNormal ? -1 : 0;
    denormals |= magnitude & ~normal;
    const float y =
        __builtin_bit_cast(float, bits& normal) * __builtin_bit_cast(float, kScaleOfFirst - edge[i]);
    const float whole = __builtin_rintf(y), rest = __builtin_rintf((y - whole) * 0x1p24f);
    const auto to_high = static_cast<int32_t>(whole), to_low = static_cast<int32_t>(rest);
    high[i] += kWeighs ? static_cast<Integer>(weight) * to_high : to_high;
    low[i] += kWeighs ? static_cast<Integer>(weight) * to_low : to_low;
  }
  return denormals != 0;
}

// A denormal is all in window 0, in units of which its bits are.
template <class Integer>
void add_denormals(Integer* low, const uint8_t* window, const float* x, size_t n, int32_t weight) {
  for (size_t i = 0; i < n; ++i) {
    const int32_t bits = __builtin_bit_cast(int32_t, x[i]), magnitude = bits & 0x7fffffff;
    if (magnitude < kNormal && window[i] == 1)
      low[i] += static_cast<Integer>(weight) * (bits < 0 ? -magnitude : magnitude);
  }
}

template <class Integer>
PLAIT_LOOP void add_block(Integer* high, Integer* low, uint8_t* window, const float* x, size_t n,
                          int32_t weight) {
  int32_t edge[kBlock];
  if (find_edges(window, x, n, edge)) {
    uint8_t wanted[kBlock];
    for (size_t i = 0; i < n; ++i) {
      const uint8_t own = window_of(__builtin_bit_cast(uint32_t, x[i]) & 0x7fffffff);
      wanted[i] = own > window[i] ? own : window[i];
    }
    raise_loop(high, low, window, wanted, n);
    find_edges(window, x, n, edge);
  }
  const bool denormals = weight == 1 ? add_normal<false>(high, low, edge, x, n, weight)
                                     : add_normal<true>(high, low, edge, x, n, weight);
  if (denormals) add_denormals(low, window, x, n, weight);
}

template <class Integer>
PLAIT_LOOP void add_loop(Integer* high, Integer* low, uint8_t* window, const float* x, size_t n,
                         int32_t weight) {
  for (size_t at = 0; at < n; at += kBlock)
    add_block(high + at, low + at, window + at, x + at, n - at < kBlock ? n - at : kBlock, weight);
}

// Every element moves up to the higher of the two windows.
template <class Integer>
PLAIT_LOOP void sum_apart(Integer* __restrict high, Integer* __restrict low, uint8_t* __restrict window,
                          const Integer* __restrict more_high, const Integer* __restrict more_low,
                          const uint8_t* __restrict more_window, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const int rise = more_window[i] - window[i];
    const Integer own_high = rise <= 0 ? high[i] : 0;
    const Integer own_low = rise <= 0 ? low[i] : rise == 1 ? high[i] : 0;
    high[i] = own_high + (rise >= 0 ? more_high[i] : 0);
    low[i] = own_low + (rise >= 0 ? more_low[i] : rise == -1 ? more_high[i] : 0);
    window[i] = rise > 0 ? more_window[i] : window[i];
  }
}

template <class Integer>
PLAIT_LOOP void sum_loop(Integer* high, Integer* low, uint8_t* window, const Integer* more_high,
                         const Integer* more_low, const uint8_t* more_window, size_t n) {
  for (size_t at = 0; at < n; at += kBlock) {
    const size_t count = n - at < kBlock ? n - at : kBlock;
    if (std::memcmp(window + at, more_window + at, count) != 0) {
      sum_apart(high + at, low + at, window + at, more_high + at, more_low + at, more_window + at, count);
      continue;
    }
    for (size_t i = at; i < at + count; ++i) high[i] += more_high[i];
    for (size_t i = at; i < at + count; ++i) low[i] += more_low[i];
  }
}

constexpr double kLargest = std::numeric_limits<float>::max();
constexpr double kLeastNormal = 0x1p-126;

// The square root of 2^(24 (window - 1) - 149 + 33), as f32: loops that mix bytes and 64 bits are not
// vectorized.
PLAIT_LOOP int32_t root_bits(int32_t window) { return (127 - 70 + kWindowBits / 2 * window) << 23; }
static_assert(2 * -70 - 33 == kLowestPlace - kWindowBits);

template <class Integer>
PLAIT_LOOP double mean_of(Integer high, Integer low, float root, double total_weight) {
  const double sum = static_cast<double>(high) * 0x1p24 + static_cast<double>(low);
  const double factor = root;
  return sum * (factor * factor * 0x1p-33) / total_weight;
}

// Leaves +0 where f32 has a denormal.
template <class Integer>
PLAIT_LOOP void normal_means(float* __restrict out, const Integer* __restrict high,
                             const Integer* __restrict low, const float* __restrict root, size_t n,
                             double total_weight) {
  for (size_t i = 0; i < n; ++i) {
    const double mean = mean_of(high[i], low[i], root[i], total_weight);
    const double held = mean > kLargest ? kLargest : mean < -kLargest ? -kLargest : mean;
    out[i] = static_cast<float>(__builtin_fabs(held) < kLeastNormal ? 0.0 : held);
  }
}

// A sum with parts above this window, divided by the largest total weight (2^32), is no denormal.
constexpr int32_t kLastOfDenormals = 3;
static_assert(kWindowBits * kLastOfDenormals + kLowestPlace - 32 >= -126);  // the next window's low unit

// The bits of a denormal are its value in units of 2^-149, so no conversion has to make one.
template <class Integer>
void write_denormals(float* out, const Integer* high, const Integer* low, const float* root,
                     const uint8_t* window, size_t n, double total_weight) {
  for (size_t i = 0; i < n; ++i) {
    if (window[i] > kLastOfDenormals) continue;
    const double mean = mean_of(high[i], low[i], root[i], total_weight);
    if (__builtin_fabs(mean) >= kLeastNormal) continue;
    const auto units = static_cast<int32_t>(__builtin_rint(mean * 0x1p149));
    const uint32_t sign = units < 0 ? 0x80000000u : 0;
    out[i] = __builtin_bit_cast(float, sign | static_cast<uint32_t>(units < 0 ? -units : units));
  }
}

template <class Integer>
PLAIT_LOOP void mean_block(float* out, const Integer* high, const Integer* low, const uint8_t* window,
                           size_t n, double total_weight) {
  int32_t wide[kBlock];
  float root[kBlock];
  for (size_t i = 0; i < n; ++i) wide[i] = window[i];
  int32_t small = 0;
  for (size_t i = 0; i < n; ++i) {
    small |= wide[i] <= kLastOfDenormals && (high[i] | low[i]) != 0 ? 1 : 0;
    wide[i] = root_bits(wide[i]);
  }
  std::memcpy(root, wide, n * sizeof(float));
  normal_means(out, high, low, root, n, total_weight);
  if (small != 0) write_denormals(out, high, low, root, window, n, total_weight);
}

template <class Integer>
PLAIT_LOOP void mean_loop(float* out, const Integer* high, const Integer* low, const uint8_t* window,
                          size_t n, double total_weight) {
  for (size_t at = 0; at < n; at += kBlock)
    mean_block(out + at, high + at, low + at, window + at, n - at < kBlock ? n - at : kBlock, total_weight);
}

// ---- values that are all at hand: sums in f64, which are exact for at most kLargestKeptTotal

// 1.5 2^52 units of the lower window below `window`: added and taken away again it rounds to them, ties to
// even.
PLAIT_LOOP double rounder(float root) {
  const double wide = root;
  return wide * wide * 0.75;
}
PLAIT_LOOP int32_t rounder_root_bits(int32_t window) { return (127 - 60 + kWindowBits / 2 * window) << 23; }
static_assert(2 * -60 - 1 - 52 == kLowestPlace - kWindowBits);

// largest [n]: magnitudes of the largest of each element's values. Returns whether some value is a denormal.
PLAIT_LOOP bool find_largest(const float* const* x, size_t count, size_t at, size_t n,
                             int32_t* __restrict largest) {
  int32_t denormals = 0;
  for (size_t i = 0; i < n; ++i) largest[i] = 0;
  for (size_t k = 0; k < count; ++k) {
    const float* const values = x[k] + at;
    for (size_t i = 0; i < n; ++i) {
      const int32_t magnitude = __builtin_bit_cast(int32_t, values[i]) & 0x7fffffff;
      denormals |= magnitude < kNormal ? magnitude : 0;
      largest[i] = magnitude > largest[i] ? magnitude : largest[i];
    }
  }
  return denormals != 0;
}

// Each value is rounded to the lower of the two windows of its element, as add_normal does in two steps.
PLAIT_LOOP void sum_rounded(const float* const* x, const int32_t* weights, size_t count, size_t at, size_t n,
                            const float* __restrict root, double* __restrict sum) {
  for (size_t i = 0; i < n; ++i) sum[i] = 0;
  for (size_t k = 0; k < count; ++k) {
    const float* const values = x[k] + at;
    const double weight = weights[k];
    for (size_t i = 0; i < n; ++i) {
      const double by = rounder(root[i]), shifted = static_cast<double>(values[i]) + by;
      sum[i] += weight * (shifted - by);
    }
  }
}

// `by`: the total weight, or its reciprocal where that is exact. Returns whether some mean is a denormal.
template <bool kDivides>
PLAIT_LOOP bool write_sums(float* __restrict out, const double* __restrict sum, size_t n, double by) {
  int32_t denormals = 0;
  for (size_t i = 0; i < n; ++i) {
    const double mean = kDivides ? sum[i] / by : sum[i] * by;
    denormals |= __builtin_fabs(mean) < kLeastNormal && mean != 0 ? 1 : 0;
    out[i] = static_cast<float>(mean);
  }
  return denormals != 0;
}

PLAIT_LOOP void kept_block_by_bins(float* out, const float* const* x, const int32_t* weights, size_t count,
                                   size_t at, size_t n, double total_weight) {
  int32_t high[kBlock] = {}, low[kBlock] = {};
  uint8_t window[kBlock];
  std::memset(window, 1, sizeof window);
  for (size_t k = 0; k < count; ++k) add_block(high, low, window, x[k] + at, n, weights[k]);
  mean_block(out, high, low, window, n, total_weight);
}

// A block is narrow where all values but zeros have the same highest window: none is rounded then. Nor is a
// sum of two, or its half, denormal or infinite.
constexpr int32_t kLeastOfNarrow = (127 - 101) << 23, kMostOfNarrow = (127 + 126) << 23;

PLAIT_LOOP bool is_narrow(const float* const* x, size_t count, size_t at, size_t n) {
  int32_t least = kMostOfNarrow, largest = 0;
  for (size_t k = 0; k < count; ++k) {
    const float* const values = x[k] + at;
    for (size_t i = 0; i < n; ++i) {
      const int32_t magnitude = __builtin_bit_cast(int32_t, values[i]) & 0x7fffffff;
      const int32_t above_zero = magnitude != 0 ? magnitude : kMostOfNarrow;
      least = above_zero < least ? above_zero : least;
      largest = magnitude > largest ? magnitude : largest;
    }
  }
  if (largest == 0) return true;
  return least >= kLeastOfNarrow && largest < kMostOfNarrow &&
         window_of(static_cast<uint32_t>(least)) == window_of(static_cast<uint32_t>(largest));
}

// Adding 0 makes +0 of -0.
PLAIT_LOOP void write_halves(float* __restrict out, const float* __restrict a, const float* __restrict b,
                             size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = (a[i] + b[i]) * 0.5f + 0.0f;
}

PLAIT_LOOP void sum_narrow(const float* const* x, const int32_t* weights, size_t count, size_t at, size_t n,
                           double* __restrict sum) {
  for (size_t i = 0; i < n; ++i) sum[i] = 0;
  for (size_t k = 0; k < count; ++k) {
    const float* const values = x[k] + at;
    const double weight = weights[k];
    for (size_t i = 0; i < n; ++i) sum[i] += weight * static_cast<double>(values[i]);
  }
}

// Returns false where some value is a denormal.
PLAIT_LOOP bool sum_wide(const float* const* x, const int32_t* weights, size_t count, size_t at, size_t n,
                         double* __restrict sum) {
  int32_t wide[kBlock];
  float root[kBlock];
  if (find_largest(x, count, at, n, wide)) return false;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t steps = (static_cast<uint32_t>(wide[i]) + (kWindowBits - 1) * kNormal - 1) >> 23;
    const auto t = static_cast<int32_t>((steps * 171) >> 12);  // steps / kWindowBits of at most 278
    wide[i] = rounder_root_bits(t > 1 ? t : 1);
  }
  std::memcpy(root, wide, n * sizeof(float));
  sum_rounded(x, weights, count, at, n, root, sum);
  return true;
}

PLAIT_LOOP void kept_block(float* out, const float* const* x, const int32_t* weights, size_t count, size_t at,
                           size_t n, double total_weight) {
  double sum[kBlock];
  const bool narrow = is_narrow(x, count, at, n);
  if (narrow && count == 2 && total_weight == 2) return write_halves(out, x[0] + at, x[1] + at, n);
  bool is_normal = true;
  if (narrow)
    sum_narrow(x, weights, count, at, n, sum);
  else
    is_normal = sum_wide(x, weights, count, at, n, sum);
  if (is_normal) {
    const auto whole = static_cast<int64_t>(total_weight);
    const double reciprocal = 1 / total_weight;
    is_normal = !((whole & (whole - 1)) == 0 ? write_sums<false>(out, sum, n, reciprocal)
                                             : write_sums<true>(out, sum, n, total_weight));
  }
  if (!is_normal) kept_block_by_bins(out, x, weights, count, at, n, total_weight);
}

PLAIT_LOOP void kept_loop(float* out, const float* const* x, const int32_t* weights, size_t count, size_t n,
                          double total_weight) {
  for (size_t at = 0; at < n; at += kBlock)
    kept_block(out + at, x, weights, count, at, n - at < kBlock ? n - at : kBlock, total_weight);
}

// The bodies above are inlined into functions of each instruction set.
#define PLAIT_LOOPS(name, ...)                                                                             \
  namespace name {                                                                                         \
  __VA_ARGS__ uint32_t magnitude(const float* x, size_t n) { return magnitude_loop(x, n); }                \
  __VA_ARGS__ void add32(int32_t* h, int32_t* l, uint8_t* t, const float* x, size_t n, int32_t w) {        \
    add_loop(h, l, t, x, n, w);                                                                            \
  }                                                                                                        \
  __VA_ARGS__ void add64(int64_t* h, int64_t* l, uint8_t* t, const float* x, size_t n, int32_t w) {        \
    add_loop(h, l, t, x, n, w);                                                                            \
  }                                                                                                        \
  __VA_ARGS__ void sum32(int32_t* h, int32_t* l, uint8_t* t, const int32_t* mh, const int32_t* ml,         \
                         const uint8_t* mt, size_t n) {                                                    \
    sum_loop(h, l, t, mh, ml, mt, n);                                                                      \
  }                                                                                                        \
  __VA_ARGS__ void sum64(int64_t* h, int64_t* l, uint8_t* t, const int64_t* mh, const int64_t* ml,         \
                         const uint8_t* mt, size_t n) {                                                    \
    sum_loop(h, l, t, mh, ml, mt, n);                                                                      \
  }                                                                                                        \
  __VA_ARGS__ void mean32(float* o, const int32_t* h, const int32_t* l, const uint8_t* t, size_t n,        \
                          double w) {                                                                      \
    mean_loop(o, h, l, t, n, w);                                                                           \
  }                                                                                                        \
  __VA_ARGS__ void mean64(float* o, const int64_t* h, const int64_t* l, const uint8_t* t, size_t n,        \
                          double w) {                                                                      \
    mean_loop(o, h, l, t, n, w);                                                                           \
  }                                                                                                        \
  __VA_ARGS__ void kept(float* o, const float* const* x, const int32_t* v, size_t c, size_t n, double w) { \
    kept_loop(o, x, v, c, n, w);                                                                           \
  }                                                                                                        \
  constexpr Loops kLoops = {magnitude, add32, add64, sum32, sum64, mean32, mean64, kept};                  \
  }

PLAIT_LOOPS(plain)
#ifdef __x86_64__
PLAIT_LOOPS(avx2, __attribute__((target("avx2"))))
PLAIT_LOOPS(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))))
#endif

bool is_always_there() { return true; }
#ifdef __x86_64__
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const Loops& fastest_loops() {
  const Loops* fastest = nullptr;
  for (const LoopSet& set : loop_sets())
    if (set.is_runnable()) fastest = set.loops;
  return *fastest;
}

const Loops& loops() {
  static const Loops& chosen = fastest_loops();
  return chosen;
}

}  // namespace

std::span<const LoopSet> loop_sets() {
  static constexpr LoopSet kSets[] = {
      {"plain", is_always_there, &plain::kLoops},
#ifdef __x86_64__
      {"AVX2", has_avx2, &avx2::kLoops},
      {"AVX-512", has_avx512, &avx512::kLoops},
#endif
  };
  return kSets;
}

uint32_t largest_magnitude_bits(std::span<const float> x) { return loops().magnitude(x.data(), x.size()); }

void add_to_bins(const Bins<int32_t>& b, std::span<const float> x, int32_t weight) {
  loops().add32(b.high.data(), b.low.data(), b.window.data(), x.data(), x.size(), weight);
}

void add_to_bins(const Bins<int64_t>& b, std::span<const float> x, int32_t weight) {
  loops().add64(b.high.data(), b.low.data(), b.window.data(), x.data(), x.size(), weight);
}

void add_bins(const Bins<int32_t>& b, const Bins<const int32_t>& more) {
  loops().sum32(b.high.data(), b.low.data(), b.window.data(), more.high.data(), more.low.data(),
                more.window.data(), b.high.size());
}

void add_bins(const Bins<int64_t>& b, const Bins<const int64_t>& more) {
  loops().sum64(b.high.data(), b.low.data(), b.window.data(), more.high.data(), more.low.data(),
                more.window.data(), b.high.size());
}

void write_mean(std::span<float> out, const Bins<const int32_t>& b, double total_weight) {
  loops().mean32(out.data(), b.high.data(), b.low.data(), b.window.data(), out.size(), total_weight);
}

void write_mean(std::span<float> out, const Bins<const int64_t>& b, double total_weight) {
  loops().mean64(out.data(), b.high.data(), b.low.data(), b.window.data(), out.size(), total_weight);
}

void write_mean_of(std::span<float> out, std::span<const float* const> x, std::span<const int32_t> weights,
                   double total_weight) {
  loops().kept(out.data(), x.data(), weights.data(), x.size(), out.size(), total_weight);
}

int32_t to_ordered(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  return bits < 0 ? bits ^ 0x7fffffff : bits;
}

float from_ordered(int32_t ordered) {
  return std::bit_cast<float>(ordered < 0 ? ordered ^ 0x7fffffff : ordered);
}

}  // namespace plait::inline cluster
